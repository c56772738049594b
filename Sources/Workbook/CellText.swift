/// What the cells of a workbook say, as text.
enum CellText {
    /// The number that a person sees in the cell, written out plainly, without an exponent.
    ///
    /// Spreadsheets reckon with 15 significant digits but store up to 17: 1.1 is stored as `1.1000000000000001`. A number
    /// with a fraction is therefore rounded, digit by digit, to the 15 that were typed; whole numbers stay as stored.
    ///
    /// - Returns: `nil` when `stored` is no number.
    static func number(_ stored: String) -> String? {
        var digits: [UInt8] = []
        // How many of the digits stand before the point.
        var point: Int?
        var rest = Substring(stored)
        let isNegative = rest.first == "-"
        if isNegative { rest = rest.dropFirst() }
        let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
        for byte in mantissa.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte - UInt8(ascii: "0"))
            case UInt8(ascii: ".") where point == nil: point = digits.count
            default: return nil
            }
        }
        guard !digits.isEmpty, digits.count <= 40 else { return nil }
        var whole = point ?? digits.count
        if mantissa.endIndex < rest.endIndex {
            guard let exponent = Int(rest[mantissa.endIndex...].dropFirst()) else { return nil }
            // Past this it is no figure of ours, and whoever reads it will say so.
            guard (-40...40).contains(exponent) else { return stored }
            whole += exponent
        }
        let leading = digits.prefix { $0 == 0 }.count
        digits.removeFirst(leading)
        whole -= leading
        while let last = digits.last, last == 0 { digits.removeLast() }
        if digits.count > 15, whole < digits.count { round(&digits, &whole) }
        return digits.isEmpty ? "0" : (isNegative ? "-" : "") + written(digits, whole)
    }

    private static func round(_ digits: inout [UInt8], _ whole: inout Int) {
        var carries = digits[15] >= 5
        digits.removeSubrange(15...)
        while carries {
            guard let last = digits.popLast() else {
                digits = [1]
                whole += 1
                return
            }
            carries = last == 9
            if !carries { digits.append(last + 1) }
        }
        while let last = digits.last, last == 0 { digits.removeLast() }
    }

    private static func written(_ digits: [UInt8], _ whole: Int) -> String {
        func text(_ part: ArraySlice<UInt8>) -> String { part.map(String.init).joined() }
        if whole <= 0 { return "0." + String(repeating: "0", count: -whole) + text(digits[...]) }
        if whole >= digits.count {
            return text(digits[...]) + String(repeating: "0", count: whole - digits.count)
        }
        return text(digits[..<whole]) + "." + text(digits[whole...])
    }

    /// Texts of a workbook write characters that XML lacks, and some others, as `_xHHHH_` (ECMA-376-1 22.9.2.19).
    static func unescaped(_ text: String) -> String {
        guard text.contains("_x") else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "_x")?.lowerBound {
            result += rest[..<start]
            rest = rest[start...]
            let hexadecimal = rest.dropFirst(2).prefix(4)
            if rest.dropFirst(6).first == "_", hexadecimal.utf8.count == 4,
                hexadecimal.allSatisfy(\.isHexDigit),
                let scalar = UInt32(hexadecimal, radix: 16).flatMap(Unicode.Scalar.init)
            {
                result.unicodeScalars.append(scalar)
                rest = rest.dropFirst(7)
            } else {
                result += rest.prefix(2)
                rest = rest.dropFirst(2)
            }
        }
        return result + rest
    }

    /// Column of a reference such as `AB12`, from 0; `nil` when it is none.
    static func column(_ reference: String) -> Int? {
        var column = 0
        for byte in reference.utf8 {
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte), column < 16_384 else {
                return column > 0 && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? column - 1 : nil
            }
            column = column * 26 + Int(byte - UInt8(ascii: "A")) + 1
        }
        return nil
    }
}

/// The texts that cells refer to by number.
struct SharedStrings {
    private var texts: [String] = []

    init(_ part: [UInt8]?) throws(WorkbookFault) {
        guard let part else { return }
        var xml = try XMLReader(part)
        while let event = try xml.next() {
            if event == .start("si") { texts.append(try Self.text(of: "si", &xml)) }
        }
    }

    subscript(index: Int) -> String? { texts.indices.contains(index) ? texts[index] : nil }

    /// The runs of a text put together, without the reading aids of Asian scripts.
    static func text(of element: String, _ xml: inout XMLReader) throws(WorkbookFault) -> String {
        var text = ""
        var isInside = false
        while let event = try xml.next() {
            switch event {
            case .start("rPh"): try xml.skipElement()
            case .start("t"): isInside = true
            case .end("t"): isInside = false
            case .end(element): return CellText.unescaped(text)
            case .text(let run) where isInside: text += run
            default: break
            }
        }
        return text
    }
}
