import Host
import Testing

@testable import PCSCommand

@Suite("Settings of the host")
struct SettingsTests {
    private func settings(_ json: String? = nil, _ environment: [String: String] = [:]) throws
        -> ServeSettings
    {
        try SettingsReader.settings(file: json.map { ("pcs.json", Array($0.utf8)) }, environment: environment)
    }

    private func complaints(_ json: String? = nil, _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try settings(json, environment)
            return []
        } catch let error as SettingsError {
            return error.complaints.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("without anything the host serves its data folder on a Unix socket")
    func defaults() throws {
        let settings = try settings()
        #expect(settings.host.dataFolder == "data" && settings.host.audience == "pcs")
        #expect(settings.host.listeners == [.unix(path: "data/pcs.sock", groupMayConnect: false)])
    }

    @Test("a file says everything, and a variable wins over it")
    func layers() throws {
        let json = """
            {"data-folder": "/srv/pcs", "listen": {"unix": {"path": "none"}, "tcp": {"port": 7000}},
             "limits": {"frame-bytes": 70000, "connections": 5}, "log": {"level": "debug", "format": "json"},
             "operator-user-ids": [1000, 1001]}
            """
        let settings = try settings(
            json, ["PCS_LIMITS_CONNECTIONS": "9", "PCS_LOG_LEVEL": "error", "PCS_HOST": "unix:/x"])
        #expect(settings.host.dataFolder == "/srv/pcs")
        #expect(settings.host.listeners == [.tcp(host: "127.0.0.1", port: 7000, tls: nil)])
        #expect(settings.host.limits.frameBytes == 70_000 && settings.host.limits.connections == 9)
        #expect(settings.logLevel == .error && settings.logFormat == .json)
        #expect(settings.host.operatorUserIDs == [1000, 1001])
        #expect(settings.sources["limits.connections"] == "variable PCS_LIMITS_CONNECTIONS")
        #expect(settings.sources["limits.frame-bytes"] == "pcs.json line 2")
    }

    @Test(
        "what is wrong is told with its place and what is allowed",
        arguments: [
            (
                #"{"data-foldr": "x"}"#,
                #"setting data-foldr (pcs.json line 1): is not known; did you mean "data-folder"?"#
            ),
            (
                "{\n \"limits\": {\"frame-bits\": 1}\n}",
                #"setting limits.frame-bits (pcs.json line 2): is not known; did you mean "limits.frame-bytes"?"#
            ),
            (
                #"{"event-loops": "two"}"#,
                #"setting event-loops (pcs.json line 1): must be a whole number from 0 to 256, not "two""#
            ),
            (#"{"event-loops": 300}"#, "must be a whole number from 0 to 256, not 300"),
            (#"{"event-loops": true}"#, "must be a whole number from 0 to 256, not true"),
            (
                #"{"log": {"level": "loud"}}"#,
                "must be one of trace, debug, info, notice, warning, error, critical, not \"loud\""
            ),
            (#"{"log": "info"}"#, "setting log (pcs.json line 1): must be an object of settings"),
            (#"{"listen": {"unix": {"path": "none"}}}"#, "the host would listen nowhere"),
            (
                #"{"listen": {"tcp": {"host": "::1"}}}"#,
                "setting listen.tcp.host (pcs.json line 1): needs listen.tcp.port"
            ),
            (
                #"{"listen": {"tcp": {"port": 1, "tls": {"certificate-file": "a"}}}}"#,
                "needs listen.tcp.tls.private-key-file"
            ),
            (
                #"{"listen": {"tcp": {"port": 1, "tls": {"certificate-file": "a", "private-key-file": "b", "#
                    + #""requires-client-certificate": true}}}}"#,
                "needs listen.tcp.tls.client-authority-file"
            ),
            (#"{"data-folder": 1,}"#, "pcs.json: is not JSON: line 1, column 19"),
            (#"[]"#, "pcs.json: must hold one JSON object"),
            (#"{"operator-user-ids": [-1]}"#, "must hold user numbers from 0, not -1"),
        ])
    func wrongFiles(json: String, complaint: String) {
        let found = complaints(json)
        #expect(found.contains { $0.contains(complaint) }, "\(found)")
    }

    @Test(
        "variables are held to the same rules",
        arguments: [
            (
                "PCS_EVENT_LOOPS", "many",
                #"setting event-loops (variable PCS_EVENT_LOOPS): must be a whole number from 0 to 256, not "many""#
            ),
            (
                "PCS_LOG_LEVL", "info",
                #"variable PCS_LOG_LEVL: names no setting; did you mean "PCS_LOG_LEVEL"?"#
            ),
            ("PCS_LISTEN_UNIX_GROUP_MAY_CONNECT", "yes", "must be true or false, not \"yes\""),
            ("PCS_OPERATOR_USER_IDS", "1,x", "must be a list of whole numbers"),
        ])
    func wrongVariables(name: String, value: String, complaint: String) {
        #expect(
            complaints(nil, [name: value]).contains { $0.contains(complaint) },
            "\(complaints(nil, [name: value]))")
    }

    @Test("everything wrong is told at once")
    func allAtOnce() {
        #expect(complaints(#"{"a": 1, "event-loops": -1}"#, ["PCS_LOG_FORMAT": "xml"]).count == 3)
    }

    @Test("the host's own findings carry the names and places of the file")
    func hostFindings() throws {
        let settings = try settings(
            #"{"data-folder": "/", "listen": {"tcp": {"host": "0.0.0.0", "port": 1}}, "limits": {"frame-bytes": 1}}"#
        )
        let found = SettingsReader.complaints(settings.host.problems(), settings: settings).map(\.description)
        #expect(
            found.contains { $0.hasPrefix("setting limits.frame-bytes (pcs.json line 1): must be 65536 to") },
            "\(found)")
        #expect(found.contains { $0.hasPrefix("setting listen.tcp.tls (default): is needed") }, "\(found)")
    }

    @Test("every limit of the host can be set")
    func everyLimit() throws {
        for (name, path) in SettingCatalogue.limits {
            let settings = try settings(
                nil, [try #require(SettingCatalogue.setting(named: "limits." + name)).variable: "77"])
            #expect(settings.host.limits[keyPath: path] == 77, "\(name)")
        }
        #expect(SettingCatalogue.limits.count == Mirror(reflecting: HostLimits()).children.count)
    }
}
