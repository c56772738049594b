import PluginAPI

/// Who takes part in a service on a day: what extracts and calculations ask (PAR-1).
enum ParticipantList {
    struct Participant: Hashable, Sendable {
        var provider: String
        var pcn: String
        var commissioner: String
    }

    // Accepted, active, cancelled and ended participations count for the days that they cover.
    private static let onDay = Statement(
        """
        SELECT provider_code, pcn_code, commissioner_code FROM participation
        WHERE service_code = ?1 AND state IN (2, 3, 7, 8) AND backdating_unconfirmed = 0 AND start_on <= ?2
            AND (end_on IS NULL OR end_on >= ?2)
        ORDER BY provider_code
        """)
    private static let insert = BulkInsert(
        into: "participation",
        [
            "participation_id", "offer_id", "service_code", "service_version", "provider_code", "pcn_code",
            "commissioner_code", "state", "start_on", "end_on", "answer_by", "automatic",
            "backdating_unconfirmed",
            "reason", "version",
        ])

    static func participants(in service: String, on day: CalendarDate, _ reader: any Reader) throws
        -> [Participant]
    {
        try reader.all(onDay, [.text(service), .date(day)]) {
            Participant(provider: $0.text(0), pcn: $0.text(1), commissioner: $0.text(2))
        }
    }

    /// Adds participations that another system states: accepted, from the list.
    static func add(
        _ rows: [(
            participant: Participant, service: String, version: Int, start: CalendarDate, end: CalendarDate?
        )],
        in transaction: any Transaction
    ) throws {
        try insert.run(rows, in: transaction) { row, values in
            values += [
                .text(transaction.newIdentifier()), .text(""), .text(row.service), .integer(row.version),
                .text(row.participant.provider), .text(row.participant.pcn),
                .text(row.participant.commissioner),
                .integer(2), .date(row.start), .date(row.end), .null, .integer(0), .integer(0),
                .text("participation list"), .integer(1),
            ]
        }
    }
}
