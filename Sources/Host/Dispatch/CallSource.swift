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
        guard let system else { return address }
        return device.isEmpty ? system : system + "/" + device.prefix(64)
    }
}
