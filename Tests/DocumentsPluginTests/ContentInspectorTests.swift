import PatientPrivacy
import Testing

@testable import DocumentsPlugin

@Suite("What a file is, its content says")
struct ContentInspectorTests {
    static let limits = UnpackingLimits(bytes: 104_857_600, ratio: 200, entries: 2_000)

    static func refusal(_ bytes: [UInt8], as type: FileType) -> ContentRefusal? {
        do {
            try ContentInspector.inspect(bytes, declared: type, limits: limits)
            return nil
        } catch {
            return error as? ContentRefusal
        }
    }

    static let honest: [(FileType, [UInt8])] = [
        (.pdf, SampleFiles.pdf), (.png, SampleFiles.png), (.jpeg, SampleFiles.jpeg),
        (.tiff, SampleFiles.tiff),
        (.csv, SampleFiles.csv), (.text, SampleFiles.text), (.docx, PackedFiles.docx),
        (.xlsx, PackedFiles.xlsx),
        (.ods, PackedFiles.ods),
    ]

    @Test("a file of each type is taken as that type, and as no other", arguments: honest.indices)
    func honestFiles(index: Int) throws {
        let (type, bytes) = Self.honest[index]
        #expect(Self.refusal(bytes, as: type) == nil)
        for other in FileType.allCases where other != type {
            // A table is text too.
            if type == .csv, other == .text { continue }
            let refusal = Self.refusal(bytes, as: other)
            guard case .untrue = refusal else {
                Issue.record("\(type.name) declared as \(other.name): \(String(describing: refusal))")
                continue
            }
        }
    }

    @Test("what runs is refused under every type", arguments: FileType.allCases)
    func programs(type: FileType) {
        for bytes in [
            SampleFiles.program, SampleFiles.html, SampleFiles.svg, Array("#!/bin/sh\nrm -r x\n".utf8),
        ] {
            guard case .dangerous = Self.refusal(bytes, as: type) else {
                Issue.record("taken or otherwise refused: \(bytes.prefix(8))")
                continue
            }
        }
    }

    @Test("macros, programs and objects inside Office files are refused")
    func macros() {
        for (bytes, type) in [
            (PackedFiles.docxWithMacros, FileType.docx), (PackedFiles.docxForMacros, .docx),
            (PackedFiles.docxWithProgram, .docx),
        ] {
            guard case .dangerous = Self.refusal(bytes, as: type) else {
                Issue.record("taken")
                continue
            }
        }
    }

    @Test("scripts and programs in a PDF are refused, however their names are written")
    func activePDF() {
        for words in [
            "/OpenAction << /S /JavaScript >>", "/A << /S /Launch >>", "/OpenAction << /S /J#61vaScript >>",
        ] {
            guard case .dangerous = Self.refusal(SampleFiles.pdf(with: words), as: .pdf) else {
                Issue.record("taken: \(words)")
                continue
            }
        }
        #expect(Self.refusal(SampleFiles.pdf(with: "/JavaScripture 1"), as: .pdf) == nil)
    }

    @Test("passwords and encryption are refused")
    func encrypted() {
        for (bytes, type) in [
            (SampleFiles.pdf(with: "/Encrypt 5 0 R"), FileType.pdf), (PackedFiles.docxWithPassword, .docx),
            (PackedFiles.odsWithPassword, .ods),
            (
                SampleFiles.oldWord
                    + "EncryptedPackage".utf8.flatMap { (byte: UInt8) -> [UInt8] in [byte, 0] }, .xlsx
            ),
        ] {
            guard case .encrypted = Self.refusal(bytes, as: type) else {
                Issue.record("taken as \(type.name)")
                continue
            }
        }
    }

    @Test("a bomb is refused by what it states, and by what it does when it states less")
    func bombs() {
        for bytes in [PackedFiles.bomb, PackedFiles.bombThatLies] {
            guard case .expandsTooFar = Self.refusal(bytes, as: .xlsx) else {
                Issue.record("taken: \(String(describing: Self.refusal(bytes, as: .xlsx)))")
                continue
            }
        }
    }

    @Test("what stands behind an image or before a packed file is refused")
    func twoFaces() {
        #expect(Self.refusal(SampleFiles.png + PackedFiles.plainZip, as: .png) != nil)
        #expect(Self.refusal(SampleFiles.jpeg + PackedFiles.plainZip, as: .jpeg) != nil)
        #expect(Self.refusal(SampleFiles.program + PackedFiles.docx, as: .docx) != nil)
        #expect(Self.refusal(PackedFiles.docx + [0], as: .docx) != nil)
    }

    @Test("a file cut short at any place is refused", arguments: [FileType.pdf, .png, .docx, .ods, .tiff])
    func cutShort(type: FileType) throws {
        let whole = try #require(Self.honest.first { $0.0 == type }?.1)
        for length in 0..<whole.count - 1 where type != .pdf || length < whole.count - 6 {
            if Self.refusal(Array(whole[..<length]), as: type) == nil {
                Issue.record("taken with \(length) bytes")
            }
        }
    }

    @Test(
        "no broken byte makes the inspection fall over",
        arguments: [FileType.docx, .xlsx, .ods, .pdf, .png, .tiff])
    func brokenBytes(type: FileType) throws {
        let whole = try #require(Self.honest.first { $0.0 == type }?.1)
        var refused = 0
        for index in stride(from: 0, to: whole.count, by: 3) {
            for value: UInt8 in [0x00, 0xFF, 0x80] {
                var bytes = whole
                bytes[index] = value
                if Self.refusal(bytes, as: type) != nil { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test("text must be UTF-8 without control characters, a table must have equal rows")
    func text() {
        #expect(Self.refusal([0x61, 0x00, 0x62], as: .text) != nil)
        #expect(Self.refusal([0x61, 0xFF], as: .text) != nil)
        #expect(Self.refusal(Array("note <script>x</script>".utf8), as: .text) != nil)
        #expect(Self.refusal(Array("a,b\n1\n".utf8), as: .csv) != nil)
        #expect(Self.refusal(Array("a < b and b > c\n".utf8), as: .text) == nil)
    }

    @Test("NHS numbers are found by their check digit, grouped or not")
    func identifiers() {
        func count(_ text: String) -> Int { PatientIdentifiers.count(in: Array(text.utf8)) }
        #expect(count("patient 9434765919 seen") == 1)
        #expect(count("943 476 5919, and 943-476-5870") == 2)
        #expect(count("9434765918 is one off") == 0)
        #expect(count("01904 555 1234567 and 94347659190") == 0)
        #expect(count("1111111111") == 0)
        #expect(count("amount 943 4765919") == 0)
        #expect(count("name,date_of_birth\nAnn,1961-02-03\nBob,\n") == 1)
        #expect(count("practice_name,opened\nHigh St,1961-02-03\n") == 0)
    }
}
