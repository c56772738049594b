import PluginAPI

/// A connection's prepared statements, found by their text.
///
/// Statements are static constants, so the same text comes again as the same string in memory: a small table
/// finds it by the string's own two words, without reading it. The entry keeps the string, so nothing else
/// can come to have its words. Whatever is not found there is found by its text.
struct StatementCache {
    /// A plugin has a few dozen; the limit only stops SQL that is put together at run time from filling the
    /// memory.
    static let limit = 512
    private static let slots = 256
    /// Slots that an entry may stand in, from its own on: two statements that meet would else put each other
    /// out at every use.
    private static let reach = 4

    private struct Identity: Equatable {
        let low: UInt64
        let high: UInt64

        init?(_ text: String) {
            guard MemoryLayout<String>.size == MemoryLayout<Identity>.size else { return nil }
            self = unsafeBitCast(text, to: Identity.self)
        }

        var slot: Int {
            Int(truncatingIfNeeded: ((high ^ (low &<< 7)) &* 0x9E37_79B9_7F4A_7C15) &>> 56) & (slots - 1)
        }
    }

    private struct Entry {
        let identity: Identity
        let statement: Statement
        let prepared: PreparedStatement
    }

    private var recent: [Entry?] = Array(repeating: nil, count: slots)
    private var known: [Statement: PreparedStatement] = [:]

    mutating func find(_ statement: Statement) -> PreparedStatement? {
        guard let identity = Identity(statement.sql) else { return known[statement] }
        let home = identity.slot
        var free = home
        for step in 0..<StatementCache.reach {
            let slot = (home + step) & (StatementCache.slots - 1)
            guard let entry = recent[slot] else {
                free = slot
                break
            }
            if entry.identity == identity { return entry.prepared }
        }
        guard let prepared = known[statement] else { return nil }
        recent[free] = Entry(identity: identity, statement: statement, prepared: prepared)
        return prepared
    }

    mutating func add(_ prepared: PreparedStatement, for statement: Statement) {
        if known.count >= StatementCache.limit {
            known = known.filter { $0.value.isBusy }
            recent = Array(repeating: nil, count: StatementCache.slots)
        }
        known[statement] = prepared
    }

    mutating func removeAll() {
        known = [:]
        recent = Array(repeating: nil, count: StatementCache.slots)
    }
}
