/// The events that areas publish.
enum EventList {
    static func text(of contract: Contract) -> String {
        var text = "# Events\n\n" + Documents.notice
        text +=
            "\nAn event is published in the transaction of the change it tells of, delivered at least once, and in "
        text +=
            "order among events with the same key. A plugin's inbox makes each take effect exactly once.\n"
        for area in contract.areas {
            let events = area.files.flatMap(\.events)
            guard !events.isEmpty else { continue }
            text += "\n## \(area.package)\n\n"
            text += Documents.table(
                ["Event", "Ordered by", "When and why", "File"],
                events.map { event in
                    [
                        "`\(event.descriptor.name)`", "`\(event.keyField.name)`",
                        Documents.sentence(event.descriptor.commentLines),
                        "`proto/\(event.descriptor.file.name)`",
                    ]
                })
        }
        return text
    }
}
