/// Where a host is reached.
package enum HostAddress: Sendable, Hashable, CustomStringConvertible {
    case unix(path: String)
    case tcp(host: String, port: Int)
    case tls(host: String, port: Int)

    /// `unix:/path`, `tcp:host:port` or `tls:host:port`; an IPv6 address stands in square brackets.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "unix":
            guard !rest.isEmpty else { return nil }
            self = .unix(path: String(rest))
        case "tcp":
            guard let (host, port) = Self.hostAndPort(rest) else { return nil }
            self = .tcp(host: host, port: port)
        case "tls":
            guard let (host, port) = Self.hostAndPort(rest) else { return nil }
            self = .tls(host: host, port: port)
        default: return nil
        }
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), port)
    }

    package var description: String {
        func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
        return switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): "tcp:\(bracketed(host)):\(port)"
        case .tls(let host, let port): "tls:\(bracketed(host)):\(port)"
        }
    }
}
