/// First frame in each direction.
package struct OutgoingHello: OutgoingFrame {
    package var version: UInt32
    package var software: String
    package var limits: ConnectionLimits
    package var accessToken: String
    package var features: [String]

    package init(
        version: UInt32 = ConnectionLimits.protocolVersion, software: String, limits: ConnectionLimits,
        accessToken: String = "", features: [String] = []
    ) {
        self.version = version
        self.software = software
        self.limits = limits
        self.accessToken = accessToken
        self.features = features
    }

    private var layout: FrameLayout {
        var content =
            WireSize.field(UInt64(version)) + WireSize.field(software)
            + WireSize.field(UInt64(limits.maximumFrameBytes)) + WireSize.field(UInt64(limits.maximumStreams))
            + WireSize.field(UInt64(limits.initialCredit)) + WireSize.field(UInt64(limits.keepaliveSeconds))
            + WireSize.field(accessToken)
        for feature in features { content += WireSize.delimited(feature.utf8.count) }
        return FrameLayout(stream: 0, content: content)
    }

    package var byteCount: Int { layout.byteCount }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x12) else { return 0 }
        writer.field(0x08, UInt64(version))
        writer.field(0x12, software)
        writer.field(0x18, UInt64(limits.maximumFrameBytes))
        writer.field(0x20, UInt64(limits.maximumStreams))
        writer.field(0x28, UInt64(limits.initialCredit))
        writer.field(0x30, UInt64(limits.keepaliveSeconds))
        writer.field(0x3A, accessToken)
        for feature in features { writer.delimited(0x42, feature) }
        return layout.byteCount
    }
}

/// The caller no longer wants the call.
package struct OutgoingCancel: OutgoingFrame {
    package let reason: String
    private let layout: FrameLayout

    package var byteCount: Int { layout.byteCount }

    package init(stream: UInt32, reason: String = "") {
        self.reason = reason
        layout = FrameLayout(stream: stream, content: WireSize.field(reason))
    }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x32) else { return 0 }
        writer.field(0x0A, reason)
        return layout.byteCount
    }
}

/// The sender will take this many further messages.
package struct OutgoingCredit: OutgoingFrame {
    package let messages: UInt32
    private let layout: FrameLayout

    package var byteCount: Int { layout.byteCount }

    package init(stream: UInt32, messages: UInt32) {
        self.messages = messages
        layout = FrameLayout(stream: stream, content: WireSize.field(UInt64(messages)))
    }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x3A) else { return 0 }
        writer.field(0x08, UInt64(messages))
        return layout.byteCount
    }
}

/// Keepalive, or its answer.
package struct OutgoingPing: OutgoingFrame {
    package let token: UInt64
    package let acknowledge: Bool

    package init(token: UInt64, acknowledge: Bool = false) {
        self.token = token
        self.acknowledge = acknowledge
    }

    private var layout: FrameLayout {
        FrameLayout(stream: 0, content: (token == 0 ? 0 : 9) + (acknowledge ? 2 : 0))
    }

    package var byteCount: Int { layout.byteCount }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x42) else { return 0 }
        writer.fixed64Field(0x09, token)
        writer.field(0x10, acknowledge ? 1 : 0)
        return layout.byteCount
    }
}

/// The sender takes no new calls.
package struct OutgoingGoAway: OutgoingFrame, Hashable {
    package var lastStream: UInt32
    package var reason: GoAwayReason
    package var message: String
    package var graceMilliseconds: UInt32

    package init(lastStream: UInt32, reason: GoAwayReason, message: String, graceMilliseconds: UInt32 = 0) {
        self.lastStream = lastStream
        self.reason = reason
        self.message = message
        self.graceMilliseconds = graceMilliseconds
    }

    private var layout: FrameLayout {
        FrameLayout(
            stream: 0,
            content: WireSize.field(UInt64(lastStream)) + WireSize.field(UInt64(reason.rawValue))
                + WireSize.field(message) + WireSize.field(UInt64(graceMilliseconds)))
    }

    package var byteCount: Int { layout.byteCount }

    @discardableResult
    package func write(into target: UnsafeMutableRawBufferPointer) -> Int {
        guard var writer = layout.begin(target, kind: 0x4A) else { return 0 }
        writer.field(0x08, UInt64(lastStream))
        writer.field(0x10, UInt64(reason.rawValue))
        writer.field(0x1A, message)
        writer.field(0x20, UInt64(graceMilliseconds))
        return layout.byteCount
    }
}
