/// The reasons that calls can end with.
enum ErrorCatalogue {
    static func text(of contract: Contract) -> String {
        var text = "# Error catalogue\n\n" + Documents.notice
        text +=
            "\nA failed call carries a gRPC status code and, in `pcs.common.v1.FailureDetail.reason`, one of these "
        text +=
            "names. Names are stable: programs may decide by them. The reasons of pcs.host.v1 can end any call.\n"
        for area in contract.areas {
            for catalogue in area.files.flatMap(\.reasons) {
                text += "\n## \(area.package) (`\(catalogue.descriptor.name)`)\n\n"
                text += Documents.table(
                    ["Reason", "Code", "What went wrong", "What to do"],
                    catalogue.entries.map { ["`\($0.name)`", $0.code.protoName, $0.summary, $0.nextStep] })
            }
        }
        return text
    }
}
