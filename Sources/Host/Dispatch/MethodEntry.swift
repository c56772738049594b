import FrameProtocol
package import PluginAPI

/// One served method: its descriptor, the code that serves it, the plugin it belongs to and its counters.
package final class MethodEntry: Sendable {
    package let descriptor: MethodDescriptor
    package let handler: BoundMethod.Handler
    package let slot: PluginSlot
    package let counters = MethodCounters()
    /// Place in the table.
    package let index: Int
    package let isInline: Bool
    // Of the access rule, as every call asks for them; the rule itself holds lists that would be counted each time.
    let isAnonymous: Bool
    let changesState: Bool
    let needsStepUp: Bool
    let isSensitiveRead: Bool
    let maximumRequestBytes: Int
    let timeLimitMilliseconds: UInt32
    /// Whether the handler may wait for something: for a commit, an audit row, a pause that slows guessing down. Only
    /// then its task must come back to the event loop that it began on.
    let mayWait: Bool
    /// Name of the service: the path up to the slash.
    package let service: String

    init(_ method: BoundMethod, slot: PluginSlot, index: Int) {
        descriptor = method.descriptor
        handler = method.handler
        self.slot = slot
        self.index = index
        let access = method.descriptor.access
        isInline = access.execution == .inline
        isAnonymous = access.isAnonymous
        changesState = access.changesState
        needsStepUp = access.needsStepUp
        isSensitiveRead = access.audit == .sensitiveRead
        maximumRequestBytes = Int(access.maximumRequestBytes)
        timeLimitMilliseconds = access.timeLimitMilliseconds
        mayWait = changesState || isAnonymous || isSensitiveRead || method.descriptor.kind != .unary
        service = String(method.descriptor.path.prefix { $0 != "/" })
    }

    package var access: AccessRule { descriptor.access }
}

/// Every method that this host serves, found by the bytes of its path. Made once, before the first listener
/// opens.
package final class MethodTable: Sendable {
    package let entries: [MethodEntry]
    private let index: MethodIndex

    package struct DuplicateMethod: Error, CustomStringConvertible {
        package let path: String
        package var description: String { "two plugins serve \(path)" }
    }

    package init(_ methods: [(slot: PluginSlot, methods: [BoundMethod])]) throws {
        var entries: [MethodEntry] = []
        var paths = Set<String>()
        for (slot, bound) in methods {
            for method in bound {
                guard paths.insert(method.descriptor.path).inserted else {
                    throw DuplicateMethod(path: method.descriptor.path)
                }
                entries.append(MethodEntry(method, slot: slot, index: entries.count))
            }
        }
        self.entries = entries
        index = MethodIndex(entries.map(\.descriptor.path))
    }

    package func entry(for path: UnsafeRawBufferPointer) -> MethodEntry? {
        index.position(of: path).map { entries[$0] }
    }

    package func entry(for path: String) -> MethodEntry? {
        var path = path
        return path.withUTF8 { entry(for: UnsafeRawBufferPointer($0)) }
    }

    package func entries(of slot: PluginSlot) -> [MethodEntry] { entries.filter { $0.slot === slot } }
}
