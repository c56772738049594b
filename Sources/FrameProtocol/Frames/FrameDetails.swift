/// The outcome of a failed call in the shape of google.rpc.Status.
package struct FrameStatus: Hashable, Sendable {
    package struct Detail: Hashable, Sendable {
        /// `type.googleapis.com/pcs.common.v1.FailureDetail`.
        package var typeURL: String
        package var value: [UInt8]

        package init(typeURL: String, value: [UInt8]) {
            self.typeURL = typeURL
            self.value = value
        }
    }

    package var code: Int32
    package var message: String
    package var details: [Detail]

    package init(code: Int32 = 0, message: String = "", details: [Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }
}

// Repeated fields are rare, so that decoding only checks them and leaves a frame free of allocations. Whoever
// wants them walks the frame again. `bytes` must be the buffer that the frame was decoded from.
extension Frame {
    /// Names in `Hello.features`, in order.
    package func features(in bytes: UnsafeRawBufferPointer) -> [String] {
        guard case .hello(let hello) = kind, hello.hasFeatures else { return [] }
        var features: [String] = []
        walk(tag: 0x12, in: bytes) { inner in
            while let tag = try? inner.nextTag() {
                guard tag == 0x42, let text = try? inner.text() else {
                    try? inner.skip(tag)
                    continue
                }
                features.append(bytes.string(text))
            }
        }
        return features
    }

    /// `Reply.status`, with its details.
    package func status(in bytes: UnsafeRawBufferPointer) -> FrameStatus? {
        guard case .reply(let reply) = kind, reply.hasStatus else { return nil }
        var status = FrameStatus()
        walk(tag: 0x2A, in: bytes) { inner in
            while let tag = try? inner.nextTag() {
                guard tag == 0x22, var fields = try? inner.message() else {
                    try? inner.skip(tag)
                    continue
                }
                StatusFields.merge(&fields, into: &status, bytes)
            }
        }
        return status
    }

    /// Hands each field of the frame's kind to `body`. Decoding has accepted the bytes, so nothing throws
    /// here.
    private func walk(
        tag wanted: UInt32, in bytes: UnsafeRawBufferPointer, _ body: (inout WireReader) -> Void
    ) {
        guard let base = bytes.baseAddress, ends <= bytes.count else { return }
        var reader = WireReader(origin: base, from: kindBegins, to: ends)
        while let tag = try? reader.nextTag() {
            guard tag == wanted, var inner = try? reader.message() else {
                try? reader.skip(tag)
                continue
            }
            body(&inner)
        }
    }
}

extension WireReader {
    fileprivate mutating func nextTag() throws(WireFault) -> UInt32? {
        isAtEnd ? nil : try tag()
    }
}

enum StatusFields {
    /// Refuses what is not a Status, keeping nothing.
    static func check(_ reader: inout WireReader) throws(WireFault) {
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag {
            case 0x12: _ = try reader.text()
            case 0x1A:
                var detail = try reader.message()
                while !detail.isAtEnd {
                    let tag = try detail.tag()
                    if tag == 0x0A { _ = try detail.text() } else { try detail.skip(tag) }
                }
            default: try reader.skip(tag)
            }
        }
    }

    fileprivate static func merge(
        _ reader: inout WireReader, into status: inout FrameStatus, _ bytes: UnsafeRawBufferPointer
    ) {
        while let tag = try? reader.nextTag() {
            switch tag {
            case 0x08:
                if let code = try? reader.varint() { status.code = Int32(truncatingIfNeeded: code) }
            case 0x12:
                if let text = try? reader.text() { status.message = bytes.string(text) }
            case 0x1A:
                guard var inner = try? reader.message() else { return }
                var detail = FrameStatus.Detail(typeURL: "", value: [])
                while let tag = try? inner.nextTag() {
                    switch tag {
                    case 0x0A: if let text = try? inner.text() { detail.typeURL = bytes.string(text) }
                    case 0x12: if let value = try? inner.bytes() { detail.value = bytes.array(value) }
                    default: try? inner.skip(tag)
                    }
                }
                status.details.append(detail)
            default:
                try? reader.skip(tag)
            }
        }
    }
}
