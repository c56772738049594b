/// A page of a document: texts, rules and grounds. Lengths are hundredths of a point, measured from the upper left
/// corner; whole numbers only, so that the same page is the same bytes everywhere.
package struct PortablePage: Sendable {
    /// A4, upright.
    package static let width = 59_528
    package static let height = 84_189

    package enum Alignment: Sendable {
        /// The place is the text's left end.
        case left
        /// The place is the text's right end.
        case right
    }

    /// Thousandths of white, for rules and grounds.
    package struct Ink: Hashable, Sendable {
        var red: Int
        var green: Int
        var blue: Int

        /// Each from 0 to 255.
        package init(_ red: Int, _ green: Int, _ blue: Int) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        package static let black = Ink(0, 0, 0)
    }

    private(set) var content: [UInt8] = []

    package init() {}

    package mutating func text(
        _ text: String, x: Int, y: Int, size: Int, font: PortableFont = .regular, align: Alignment = .left,
        ink: Ink = .black
    ) {
        guard !text.isEmpty else { return }
        let left = align == .left ? x : x - font.width(of: text, size: size)
        write("BT ")
        write(ink, "rg")
        write(
            "/\(font.resourceName) \(number(size)) Tf 1 0 0 1 \(number(left)) \(number(PortablePage.height - y)) Tm ("
        )
        content += PortableText.escaped(WinAnsi.bytes(text))
        write(") Tj ET\n")
    }

    /// A straight line of the thickness given.
    package mutating func rule(fromX: Int, toX: Int, y: Int, thickness: Int = 50, ink: Ink = .black) {
        write(ink, "RG")
        let height = number(PortablePage.height - y)
        write("\(number(thickness)) w \(number(fromX)) \(height) m \(number(toX)) \(height) l S\n")
    }

    /// A filled rectangle; draw it before what stands on it.
    package mutating func ground(x: Int, y: Int, width: Int, height: Int, ink: Ink) {
        write(ink, "rg")
        write(
            "\(number(x)) \(number(PortablePage.height - y - height)) \(number(width)) \(number(height)) re f\n"
        )
    }

    private mutating func write(_ text: String) { content += Array(text.utf8) }

    private mutating func write(_ ink: Ink, _ verb: String) {
        write([ink.red, ink.green, ink.blue].map { share($0) }.joined(separator: " ") + " \(verb) ")
    }

    /// 0 to 255 as 0 to 1, three decimals.
    private func share(_ value: Int) -> String {
        let thousandths = (value * 1000 + 127) / 255
        let digits = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }

    /// Hundredths as a decimal number.
    private func number(_ hundredths: Int) -> String {
        let rest = hundredths.magnitude % 100
        return (hundredths < 0 ? "-" : "") + "\(hundredths.magnitude / 100)." + (rest < 10 ? "0" : "")
            + "\(rest)"
    }
}

enum PortableText {
    /// A string between parentheses: what would end it is escaped, what is not plain is written in octal.
    static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var written: [UInt8] = []
        written.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"):
                written += [UInt8(ascii: "\\"), byte]
            case 0x20...0x7E: written.append(byte)
            default:
                let octal = String(byte, radix: 8)
                written += Array(("\\" + String(repeating: "0", count: 3 - octal.utf8.count) + octal).utf8)
            }
        }
        return written
    }
}
