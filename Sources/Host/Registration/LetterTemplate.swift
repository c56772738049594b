import PluginAPI

/// The registration letter: plain text of ours with places for what differs from letter to letter.
struct LetterTemplate: Sendable {
    private let text: String

    enum Place: String, CaseIterable, Sendable {
        case organisationName = "organisation_name"
        case address, date
        case organisationCode = "organisation_code"
        case code
        case expiresOn = "expires_on"
    }

    /// A template without one of the places, or with one that is none of them.
    struct Incomplete: Error { let what: String }

    static func shipped() throws -> LetterTemplate {
        try LetterTemplate(String(decoding: PackageResources.registration_letter_txt, as: UTF8.self))
    }

    init(_ text: String) throws(Incomplete) {
        for place in Place.allCases where !text.contains("{\(place.rawValue)}") {
            throw Incomplete(what: "\(place.rawValue) is missing")
        }
        var rest = text
        for place in Place.allCases { rest = rest.replacing("{\(place.rawValue)}", with: "") }
        if rest.contains("{") { throw Incomplete(what: "there is a place that nothing fills") }
        self.text = text
    }

    /// One pass over the template: what stands in a name is never taken for a place.
    func letter(_ values: [Place: String]) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            result += Place(rawValue: name).flatMap { values[$0] } ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

extension CalendarDate {
    /// `16 March 2026`, for letters.
    var inWords: String {
        let months = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        let (year, month, day) = components
        return "\(day) \(months[month - 1]) \(year)"
    }
}
