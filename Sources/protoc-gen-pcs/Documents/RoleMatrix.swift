/// Who may call what: by method, and the other way round by role.
enum RoleMatrix {
    static func text(of contract: Contract) -> String {
        var text = "# Role matrix\n\n" + Documents.notice
        text +=
            "\nThe host enforces these very tables. A caller passes when one row of the method fits: it holds the "
        text +=
            "role today at the organisation it acts for, and that organisation stands in the relation to the "
        text += "organisation named in the field of the request.\n"
        for area in contract.areas {
            let services = area.files.flatMap(\.services)
            guard !services.isEmpty else { continue }
            text += "\n## \(area.package)\n"
            for service in services {
                text += "\n### \(service.descriptor.name)\n\n"
                text += Documents.table(
                    ["Method", "Role", "Relation", "Organisation field"], service.methods.flatMap(callers))
                text += "\n"
                text += Documents.table(
                    [
                        "Method", "Changes state", "Second person", "Fresh proof", "Audit", "Time limit, ms",
                        "Largest request, bytes", "Runs",
                    ],
                    service.methods.map(limits))
            }
        }
        return text + byRole(contract)
    }

    private static func callers(_ method: Contract.Method) -> [[String]] {
        let name = method.descriptor.name
        if method.access.isAnonymous { return [[name, "anybody, without identity", "", ""]] }
        if method.access.anyCaller { return [[name, "any authenticated caller", "", ""]] }
        return method.access.allow.map { allow in
            [
                name, allow.role, allow.relation.inWords,
                allow.organisationPath.isEmpty ? "" : "`\(allow.organisationPath)`",
            ]
        }
    }

    private static func limits(_ method: Contract.Method) -> [String] {
        let access = method.access
        let audit =
            switch access.audit {
            case .none: ""
            case .change: "change"
            case .sensitiveRead: "sensitive read"
            }
        return [
            method.descriptor.name, access.changesState ? "yes" : "", access.needsSecondPerson ? "yes" : "",
            access.needsStepUp ? "yes" : "", audit,
            Words.grouped(access.timeLimitMilliseconds), Words.grouped(access.maximumRequestBytes),
            access.execution.rawValue,
        ]
    }

    private static func byRole(_ contract: Contract) -> String {
        let methods = contract.areas.flatMap { $0.files.flatMap(\.services).flatMap(\.methods) }
        var text = "\n## By role\n"
        for role in contract.files.flatMap(\.roles) {
            text += "\n### \(role.name)\n"
            if !role.comment.isEmpty { text += "\n\(Documents.sentence(role.comment))\n" }
            let rows = methods.flatMap { method in
                method.access.allow.filter { $0.role == role.name }.map { allow in
                    [
                        "`\(method.path)`", allow.relation.inWords,
                        method.access.changesState ? "changes state" : "reads",
                    ]
                }
            }
            text +=
                rows.isEmpty
                ? "\nNo method yet.\n" : "\n" + Documents.table(["Method", "Relation", "Effect"], rows)
        }
        return text
    }
}

extension Contract.Relation {
    var inWords: String {
        switch self {
        case .national: "national"
        case .own: "own organisation"
        case .commissioner: "commissioner"
        case .icb: "ICB above"
        case .region: "region above"
        case .pcnMember: "PCN member"
        case .pcnOf: "PCN of the practice"
        case .pcnPeer: "practice of the same PCN"
        case .acting: "organisation acted for"
        }
    }
}
