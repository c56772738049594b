import SwiftProtobufPluginLibrary

/// Writes catalogues as constants: reasons of refusals, and roles.
enum CatalogueWriter {
    static func write(_ catalogue: Contract.ReasonCatalogue, to source: inout SwiftSource) {
        let package = catalogue.descriptor.file.package
        source.documentation(["Errors of \(package); docs/generated/errors.md prints them."])
        source.block("public enum \(catalogue.descriptor.name)s") { source in
            for entry in catalogue.entries {
                source.documentation([], then: [entry.summary])
                source.line("public static let \(constant(entry.name)) = Reason(")
                source.indented { source in
                    source.line(
                        "name: \(Spelling.literal(entry.name)), code: .\(Spelling.identifier(entry.code.rawValue)),"
                    )
                    source.line("summary: \(Spelling.literal(entry.summary)),")
                    source.line("nextStep: \(Spelling.literal(entry.nextStep)))")
                }
                source.line()
            }
            writeAll("Reason", catalogue.entries.map { constant($0.name) }, to: &source)
        }
    }

    static func write(_ roles: [Contract.RoleEntry], to source: inout SwiftSource) {
        source.documentation([
            "The roles of this system; docs/generated/role-matrix.md prints what each may do."
        ])
        source.block("public enum Roles") { source in
            for role in roles {
                source.documentation(role.comment)
                source.line("public static let \(constant(role.name)) = Role(\(Spelling.literal(role.name)))")
            }
            source.line()
            writeAll("Role", roles.map { constant($0.name) }, to: &source)
        }
    }

    private static func writeAll(_ type: String, _ constants: [String], to source: inout SwiftSource) {
        source.documentation(["In the order of the contract."])
        source.line("public static let all: [\(type)] = [")
        source.indented { source in
            for constant in constants { source.line("\(constant),") }
        }
        source.line("]")
    }

    private static func constant(_ name: String) -> String {
        Spelling.identifier(Words.lowerCamel(screaming: name))
    }
}
