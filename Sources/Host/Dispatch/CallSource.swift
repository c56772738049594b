import Glibc

/// Where a call without identity comes from, for those handlers that slow guessing down. It proves nothing.
struct CallSource: Sendable {
    /// Of the peer, without its port.
    let address: String
    let correlationID: String
    /// The system that has proved itself on the connection, if any: its word on where a person sits is believed.
    let system: String?

    @TaskLocal static var current = CallSource(address: "", correlationID: "", system: nil)

    /// One name for counting.
    /// - Parameter device: address of the person's device, as the calling system says.
    func name(device: String) -> String {
        guard let system else { return CallSource.network(of: address) }
        return device.isEmpty ? system : system + "/" + device.prefix(64)
    }

    /// Whoever has an IPv6 address has the 2^64 of its network: they count as one.
    static func network(of address: String) -> String {
        var parsed = in6_addr()
        guard address.contains(":"), inet_pton(AF_INET6, address, &parsed) == 1 else { return address }
        let network = withUnsafeBytes(of: parsed) { Array($0.prefix(8)) }
        // IPv4 in IPv6 clothes, and the machine itself.
        guard network.contains(where: { $0 != 0 }) else { return address }
        return DurableFile.hexadecimal(network) + "/64"
    }
}
