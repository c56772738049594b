package import HostContract

/// People, systems, keys and grants as people see them.
package enum IdentityView {
    package static func sheet(_ person: Pcs_Host_V1_Person) -> Sheet {
        var sheet = Sheet()
        sheet.add("person", person.personID, style: .bold)
        sheet.add("name", person.name)
        sheet.add("e-mail", person.email)
        sheet.add("state", EnumWords.words(person.state))
        return sheet
    }

    package static func sheet(_ client: Pcs_Host_V1_Client) -> Sheet {
        var sheet = Sheet()
        sheet.add("system", client.clientID, style: .bold)
        sheet.add("name", client.name)
        sheet.add("purpose", client.purpose)
        sheet.add("owner", client.owner)
        sheet.add("scopes", client.scopes.joined(separator: ", "))
        sheet.addUnlessEmpty("certificate", client.certificateUri)
        sheet.add("state", EnumWords.words(client.state))
        return sheet
    }

    package static func sheet(_ key: Pcs_Host_V1_Key) -> Sheet {
        var sheet = Sheet()
        sheet.add("subject", key.subjectID, style: .bold)
        sheet.add("key", key.keyID)
        sheet.add("algorithm", key.algorithm)
        sheet.add("state", key.revoked ? "revoked" : "valid", style: key.revoked ? .warning : .good)
        return sheet
    }

    package static func table(_ grants: [Pcs_Host_V1_Grant]) -> Table {
        var table = Table([
            .left("grant"), .left("subject"), .left("role"), .left("at"), .left("from"), .left("to"),
            .left("given by"),
            .left("revoked by"), .left("reason", mayShorten: true),
        ])
        for grant in grants {
            table.add(
                Table.Cell(grant.grantID), Table.Cell(grant.subjectID, style: .bold),
                Table.Cell(EnumWords.upper(grant.role)), Table.Cell(grant.organisationCode),
                Table.Cell(Wording.day(grant.validFrom)), Table.Cell(Wording.day(grant.validTo)),
                Table.Cell(grant.givenBy), Table.Cell(grant.revokedBy, style: .warning),
                Table.Cell(grant.reason))
        }
        return table
    }

    package static func subjects(_ reply: Pcs_Host_V1_ListSubjectsResponse, for terminal: Terminal) -> String
    {
        var people = Table([.left("person"), .left("name"), .left("e-mail"), .left("state")])
        for person in reply.people {
            people.add(
                Table.Cell(person.personID, style: .bold), Table.Cell(person.name), Table.Cell(person.email),
                Table.Cell(EnumWords.words(person.state)))
        }
        var clients = Table([
            .left("system"), .left("name"), .left("owner"), .left("state"), .left("scopes", mayShorten: true),
        ])
        for client in reply.clients {
            clients.add(
                Table.Cell(client.clientID, style: .bold), Table.Cell(client.name), Table.Cell(client.owner),
                Table.Cell(EnumWords.words(client.state)), Table.Cell(client.scopes.joined(separator: ", ")))
        }
        var keys = Table([.left("key of"), .left("key"), .left("algorithm"), .left("state")])
        for key in reply.keys {
            keys.add(
                Table.Cell(key.subjectID), Table.Cell(key.keyID), Table.Cell(key.algorithm),
                Table.Cell(key.revoked ? "revoked" : "valid", style: key.revoked ? .warning : .plain))
        }
        let parts = [people, clients, keys, table(reply.grants)].filter { !$0.isEmpty }
        return parts.isEmpty
            ? "nobody is registered" : parts.map { $0.rendered(for: terminal) }.joined(separator: "\n\n")
    }
}
