import SwiftProtobufPluginLibrary

/// Reads what stands beside the services: reasons, events and roles.
struct CatalogueReader {
    private(set) var faults = Faults()

    /// Names of the roles by number, without their prefix, as far as `file` can see them.
    static func roleNames(visibleFrom file: FileDescriptor) -> [Int: String] {
        var seen: Set<String> = []
        var open = [file]
        while let next = open.popLast() {
            guard seen.insert(next.name).inserted else { continue }
            if let catalogue = roleEnum(of: next) {
                return Dictionary(
                    catalogue.values.filter { $0.number != 0 }
                        .map { (Int($0.number), String($0.name.trimmingPrefix("ROLE_"))) },
                    uniquingKeysWith: { first, _ in first })
            }
            open += next.dependencies
        }
        return [:]
    }

    private static func roleEnum(of file: FileDescriptor) -> EnumDescriptor? {
        file.enums.first { $0.fullName == "pcs.access.v1.Role" }
    }

    mutating func roles(in file: FileDescriptor) -> [Contract.RoleEntry] {
        guard let catalogue = Self.roleEnum(of: file) else { return [] }
        return catalogue.values.filter { $0.number != 0 }.compactMap { value in
            guard value.name.hasPrefix("ROLE_") else {
                faults.add("role \(value.name) does not begin with ROLE_: rename it", at: value)
                return nil
            }
            return Contract.RoleEntry(
                name: String(value.name.trimmingPrefix("ROLE_")), comment: value.commentLines)
        }
    }

    /// Error catalogues: the enum `<Area>Reason`, and any other with a value that has the failure option.
    mutating func reasons(in file: FileDescriptor) -> [Contract.ReasonCatalogue] {
        let area =
            file.package.split(separator: ".").dropLast().last.map { Words.capitalised(String($0)) } ?? ""
        return file.enums.filter { candidate in
            candidate.name == area + "Reason"
                || candidate.values.contains { $0.options.hasPcs_Access_V1_failure }
        }.map { catalogue(of: $0) }
    }

    private mutating func catalogue(of descriptor: EnumDescriptor) -> Contract.ReasonCatalogue {
        let prefix = String(Words.screaming(descriptor.name).trimmingPrefix("_")) + "_"
        var entries: [Contract.ReasonEntry] = []
        for value in descriptor.values {
            let rule = value.options.Pcs_Access_V1_failure
            guard value.number != 0 else {
                if value.options.hasPcs_Access_V1_failure {
                    faults.add(
                        "\(value.name) is the unspecified value and no reason: move its failure option",
                        at: value)
                }
                continue
            }
            guard value.options.hasPcs_Access_V1_failure else {
                faults.add(
                    "reason \(value.name) has no failure option: add [(pcs.access.v1.failure) = { code, summary, "
                        + "next_step }]", at: value)
                continue
            }
            guard value.name.hasPrefix(prefix), value.name.count > prefix.count else {
                faults.add("reason \(value.name) does not begin with \(prefix): rename it", at: value)
                continue
            }
            guard let code = StatusName(protoName: rule.code) else {
                faults.add(
                    "reason \(value.name) has the unknown code \"\(rule.code)\": use the name of a gRPC status code, "
                        + "for example FAILED_PRECONDITION", at: value)
                continue
            }
            if rule.summary.isEmpty || rule.nextStep.isEmpty {
                faults.add(
                    "reason \(value.name) lacks its summary or next_step: say both to the caller", at: value)
            }
            entries.append(
                Contract.ReasonEntry(
                    name: String(value.name.trimmingPrefix(prefix)), code: code, summary: rule.summary,
                    nextStep: rule.nextStep))
        }
        return Contract.ReasonCatalogue(descriptor: descriptor, entries: entries)
    }

    mutating func events(in file: FileDescriptor) -> [Contract.Event] {
        file.messages.compactMap { message in
            guard message.options.hasPcs_Access_V1_event else { return nil }
            let key = message.options.Pcs_Access_V1_event.keyField
            guard !key.isEmpty else {
                faults.add(
                    "event \(message.name) has no key_field, so its order is undefined: name the field that orders it",
                    at: message)
                return nil
            }
            guard let field = message.fields.first(where: { $0.name == key }) else {
                faults.add(
                    "event \(message.name): key_field `\(key)` does not exist: name a field of the event",
                    at: message)
                return nil
            }
            guard field.type == .string, !field.isRepeated else {
                faults.add(
                    "event \(message.name): key_field `\(key)` is not a single string: name one that is",
                    at: message)
                return nil
            }
            return Contract.Event(descriptor: message, keyField: field)
        }
    }
}
