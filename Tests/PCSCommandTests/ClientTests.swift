import CommonContract
import Crypto
import Foundation
import HostContract
import PaymentsContract
import Testing

@testable import PCSCommand

@Suite("Client side")
struct ClientTests {
    @Test(
        "addresses are read and written",
        arguments: [
            "unix:/run/pcs.sock", "unix:data/pcs.sock", "tcp:localhost:7000", "tls:host.example:443",
            "tcp:[::1]:7000",
        ])
    func addresses(text: String) {
        #expect(HostAddress(text)?.description == text)
    }

    @Test(
        "addresses that cannot be meant are refused",
        arguments: [
            "", "unix:", "localhost:7000", "tcp:host", "tcp:host:0", "tcp:host:70000", "tcp::1",
            "http:host:80", "tcp:::1:7000",
        ])
    func wrongAddresses(text: String) {
        #expect(HostAddress(text) == nil)
    }

    @Test("options win over variables, variables over defaults")
    func layers() throws {
        var options = try ConnectionOptions.parse([])
        #expect(try ClientSettings(options, environment: [:]).address == .unix(path: "data/pcs.sock"))
        let environment = [
            "PCS_HOST": "tcp:h:1", "PCS_AS": "ann.one", "PCS_OUTPUT": "json", "PCS_KEYS": "/k",
            "PCS_DATA_FOLDER": "/d",
        ]
        let settings = try ClientSettings(options, environment: environment)
        #expect(
            settings.address == .tcp(host: "h", port: 1) && settings.subject == "ann.one"
                && settings.output == .json)
        #expect(settings.keys.path == "/k")
        options = try ConnectionOptions.parse([
            "--host", "tls:x:2", "--as", "bob.two", "-o", "table", "--timeout", "1.5",
        ])
        let explicit = try ClientSettings(options, environment: environment)
        #expect(
            explicit.address == .tls(host: "x", port: 2) && explicit.subject == "bob.two"
                && explicit.output == .table)
        #expect(explicit.timeoutMilliseconds == 1_500)
        #expect(
            try ClientSettings(try ConnectionOptions.parse(["--data", "/e"]), environment: [:]).address
                == .unix(path: "/e/pcs.sock"))
        #expect(throws: CommandError.self) {
            try ClientSettings(try ConnectionOptions.parse(["--host", "nowhere"]), environment: [:])
        }
    }

    @Test("an assertion is signed with ES256 over exactly what it says")
    func assertion() throws {
        let key = PrivateKey()
        let text = try key.assertion(
            subject: "ann.one", audience: "pcs", secondsSince1970: 1_000, identifier: "once")
        let parts = text.split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        let header = try JSONParser.parse(try #require(Base64.decode(parts[0]))).compact
        let claims = try JSONParser.parse(try #require(Base64.decode(parts[1]))).compact
        #expect(header == #"{"alg":"ES256","typ":"JWT","kid":"\#(key.keyID)"}"#)
        #expect(
            claims == #"{"iss":"ann.one","sub":"ann.one","aud":"pcs","jti":"once","iat":1000,"exp":1120}"#)
        let publicKey = try P256.Signing.PublicKey(pemRepresentation: key.publicKeyPEM)
        let signature = try P256.Signing.ECDSASignature(
            rawRepresentation: try #require(Base64.decode(parts[2])))
        #expect(publicKey.isValidSignature(signature, for: Array("\(parts[0]).\(parts[1])".utf8)))
        #expect(try PrivateKey.keyID(ofPublicKey: key.publicKeyPEM) == key.keyID)
    }

    @Test("base64 goes both ways", arguments: 0..<40)
    func base64(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
        #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
        #expect(
            Base64.decode(Base64.encode(bytes)) == bytes && Base64.decode(Base64.encodeForURL(bytes)) == bytes
        )
    }

    @Test("keys are kept for their owner only, and never overwritten by accident")
    func keyFolder() throws {
        let path = NSTemporaryDirectory() + "pcs-keys-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = KeyFolder(path: path + "/inner")
        let key = try folder.makeKey(for: "ann.one")
        #expect(try folder.key(of: "ann.one").keyID == key.keyID)
        let mode =
            try FileManager.default.attributesOfItem(atPath: folder.file(of: "ann.one"))[.posixPermissions]
            as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(throws: CommandError.self) { try folder.makeKey(for: "ann.one") }
        #expect(try folder.makeKey(for: "ann.one", replacing: true).keyID != key.keyID)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: folder.file(of: "ann.one"))
        #expect(throws: CommandError.self) { try folder.key(of: "ann.one") }
        #expect(throws: CommandError.self) { try folder.key(of: "nobody") }
    }

    @Test("ids that would leave the key folder are no ids")
    func subjects() {
        #expect(KeyFolder.isSubject("olivia.payments") && KeyFolder.isSubject("a-b_c"))
        for wrong in ["ab", "../x", "a/b", "A.b", ".hidden", String(repeating: "a", count: 65)] {
            #expect(!KeyFolder.isSubject(wrong), "\(wrong)")
        }
    }

    @Test("plain and compressed files are sent alike, in pieces")
    func uploads() async throws {
        let path = NSTemporaryDirectory() + "pcs-upload-\(UInt32.random(in: 0 ... .max)).csv"
        defer {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.removeItem(atPath: path + ".gz")
        }
        let content = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try Data(content).write(to: URL(fileURLWithPath: path))
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
        gzip.arguments = ["-k", path]
        try gzip.run()
        gzip.waitUntilExit()
        for file in [path, path + ".gz"] {
            let upload = try UploadFile(path: file)
            #expect(upload.name.hasSuffix(".csv"))
            var pieces: [[UInt8]] = []
            for try await piece in upload.messages(
                progress: ProgressBar("x", terminal: .plain), first: { [1] + $0 }, rest: { $0 })
            {
                pieces.append(piece)
            }
            #expect(pieces.count == 3 && pieces.first?.first == 1)
            #expect(Array(pieces.joined().dropFirst()) == content)
        }
        let compressed = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
        try compressed.prefix(compressed.count / 2).write(to: URL(fileURLWithPath: path + ".gz"))
        let damaged = try UploadFile(path: path + ".gz")
        #expect(throws: CommandError.self) { while try damaged.next() != nil {} }
        #expect(throws: CommandError.self) { try UploadFile(path: path + ".nowhere") }
    }

    @Test("what an ODS file holds follows from its name")
    func kinds() {
        #expect(SnapshotFiles.kind(ofFileNamed: "epraccur-gp-england.csv.gz") == .practices)
        #expect(SnapshotFiles.kind(ofFileNamed: "epcncorepartnerdetails.csv") == .pcnMembers)
        #expect(SnapshotFiles.kind(ofFileNamed: "ePCN.csv") == .pcns)
        #expect(SnapshotFiles.kind(ofFileNamed: "notes.csv") == nil)
    }

    @Test("values of the contract are typed in words")
    func choices() {
        #expect(Choice<Pcs_Payments_V1_TotalDimension>(argument: "contract-type")?.value == .contractType)
        #expect(Choice<Pcs_Access_V1_Role>(argument: "PAYMENTS_OPERATOR")?.value == .paymentsOperator)
        #expect(Choice<Pcs_Host_V1_SnapshotKind>(argument: "unspecified") == nil)
        #expect(
            Choice<Pcs_Payments_V1_TotalDimension>.allValueStrings == [
                "commissioner", "region", "contract-type", "paycode",
            ])
        #expect(EnumWords.words(Pcs_Host_V1_OrganisationKind.subIcbLocation) == "sub icb location")
        #expect(EnumWords.upper(Pcs_Payments_V1_ContractType.gms) == "GMS")
    }
}
