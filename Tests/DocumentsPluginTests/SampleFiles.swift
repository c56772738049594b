// Small files of the types that are written by hand.

enum SampleFiles {
    static let pdf = Array(
        """
        %PDF-1.7
        1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
        2 0 obj << /Type /Pages /Kids [] /Count 0 >> endobj
        trailer << /Root 1 0 R >>
        startxref
        9
        %%EOF

        """.utf8)

    /// A PDF of just this size, for the figures.
    static func pdf(bytes: Int) -> [UInt8] {
        let tail = Array("\nstartxref\n9\n%%EOF\n".utf8)
        let head = Array("%PDF-1.7\n% ".utf8)
        var random: UInt64 = 42
        let filling = (0..<bytes - head.count - tail.count).map { _ -> UInt8 in
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Letters, so that no name of a PDF comes about.
            return UInt8(0x61 + (random >> 33) % 26)
        }
        return head + filling + tail
    }

    static func pdf(with words: String) -> [UInt8] {
        Array(
            String(decoding: pdf, as: UTF8.self).replacing("/Root 1 0 R", with: "/Root 1 0 R \(words)").utf8)
    }

    static let png: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
        + Array("IHDR".utf8) + [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55]
        + [0, 0, 0, 0] + Array("IEND".utf8) + [0xAE, 0x42, 0x60, 0x82]

    static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0x4A, 0x46, 0xFF, 0xD9]

    static let tiff: [UInt8] =
        [0x49, 0x49, 0x2A, 0, 8, 0, 0, 0, 1, 0] + Array(repeating: 0, count: 12) + [0, 0, 0, 0]

    static let csv = Array("practice_code,claims\nA81001,12\nA81002,7\n".utf8)
    static let text = Array("Inventory: 1,204 records, counted twice on 16 March.\n".utf8)
    static let program: [UInt8] = [0x4D, 0x5A, 0x90, 0, 3, 0, 0, 0]
    static let html = Array("<html><body onload=\"run()\"></body></html>".utf8)
    static let svg = Array("<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".utf8)
    static let oldWord: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0]
}
