/// Every method with its messages and what it does.
enum MethodList {
    static func text(of contract: Contract) -> String {
        var text = "# Methods\n\n" + Documents.notice
        text += "\nA call names its method as `package.Service/Method`. Who may call is in "
        text += "[role-matrix.md](role-matrix.md), refusals in [errors.md](errors.md).\n"
        for area in contract.areas {
            for file in area.files where !file.services.isEmpty {
                for service in file.services {
                    text += "\n## \(service.descriptor.fullName)\n\n"
                    let comment = Documents.sentence(service.descriptor.commentLines)
                    if !comment.isEmpty { text += comment + "\n\n" }
                    text += Documents.table(
                        ["Method", "Shape", "Request", "Reply", "What it does"], service.methods.map(row))
                }
            }
        }
        return text
    }

    private static func row(_ method: Contract.Method) -> [String] {
        [
            method.descriptor.name, method.kind.inWords, "`\(method.descriptor.inputType.name)`",
            "`\(method.descriptor.outputType.name)`", Documents.sentence(method.descriptor.commentLines),
        ]
    }
}
