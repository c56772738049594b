import Crypto
import CryptoExtras
import Dispatch
import HostContract
import PluginAPI
import Synchronization

/// A password as kept: scrypt with a salt of its own, and the costs it was made with, so that they can rise later.
struct HashedPassword: Sendable {
    struct Cost: Sendable, Hashable {
        let rounds: Int
        let blockSize: Int
        let parallelism: Int
    }

    let salt: [UInt8]
    let hash: [UInt8]
    let cost: Cost

    /// From a row of the password statement.
    init(row: any Row) {
        salt = row.blob(1)
        hash = row.blob(2)
        cost = Cost(
            rounds: Int(row.integer(3)), blockSize: Int(row.integer(4)), parallelism: Int(row.integer(5)))
    }

    init(salt: [UInt8], hash: [UInt8], cost: Cost) {
        self.salt = salt
        self.hash = hash
        self.cost = cost
    }
}

/// Hashes passwords on threads of its own, two at a time, behind a short queue: guessing at speed takes no thread from
/// other calls, and what does not fit is refused at once.
final class PasswordHasher: Sendable {
    static let atOnce = 2
    static let queueLength = 32
    /// Of the queue, for one source.
    static let perSource = 8
    private static let hashBytes = 32

    fileprivate struct State {
        var running = 0
        var waiting: [(source: String, continuation: CheckedContinuation<Void, Never>)] = []
        var ofSource: [String: Int] = [:]
    }

    let cost: HashedPassword.Cost
    /// Hashed in the place of the salt of an account that is none.
    private let nobodysSalt = TimeBasedCode.makeSecret()
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "pcs.passwords", qos: .utility, attributes: .concurrent)

    init(rules: AccountRules) {
        cost = HashedPassword.Cost(
            rounds: rules[.scryptRounds], blockSize: rules[.scryptBlockSize],
            parallelism: rules[.scryptParallelism])
    }

    /// A new password's hash.
    /// - Throws: `OVERLOADED`; nothing was started.
    func hash(_ password: String, source: String) async throws -> HashedPassword {
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        let hash = try await derive(password, salt, cost, source)
        return HashedPassword(salt: salt, hash: hash, cost: cost)
    }

    /// Whether the password is the one kept. Takes as long when there is none.
    /// - Throws: `OVERLOADED`; nothing was started.
    func isCorrect(_ password: String, _ kept: HashedPassword?, source: String) async throws -> Bool {
        let hash = try await derive(password, kept?.salt ?? nobodysSalt, kept?.cost ?? cost, source)
        let expected = kept?.hash ?? Array(repeating: 0, count: Self.hashBytes)
        return TimeBasedCode.isEqual(hash, expected) && kept != nil
    }

    private func derive(
        _ password: String, _ salt: [UInt8], _ cost: HashedPassword.Cost, _ source: String
    ) async throws -> [UInt8] {
        let bytes = Array(PasswordRule.normalised(password).utf8)
        try await enter(source)
        defer { leave() }
        try Task.checkCancellation()
        return try await withCheckedThrowingContinuation { caller in
            queue.async {
                caller.resume(
                    with: Result {
                        try KDF.Scrypt.deriveKey(
                            from: bytes, salt: salt, outputByteCount: Self.hashBytes, rounds: cost.rounds,
                            blockSize: cost.blockSize, parallelism: cost.parallelism
                        ).withUnsafeBytes { Array($0) }
                    })
            }
        }
    }

    // MARK: The queue

    private func enter(_ source: String) async throws {
        enum Way { case go, wait, full }
        let mayGo = state.withLock { state -> Way in
            if state.running < Self.atOnce {
                state.running += 1
                return .go
            }
            guard state.waiting.count < Self.queueLength, state.ofSource[source, default: 0] < Self.perSource
            else { return .full }
            state.ofSource[source, default: 0] += 1
            return .wait
        }
        switch mayGo {
        case .go: return
        case .full: throw Failure(HostReasons.overloaded, progress: .notStarted)
        case .wait:
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    // A place may have come free since.
                    guard state.running >= Self.atOnce else {
                        state.running += 1
                        state.release(source)
                        return true
                    }
                    state.waiting.append((source, continuation))
                    return false
                }
                if isFree { continuation.resume() }
            }
        }
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            let (source, continuation) = state.waiting.removeFirst()
            state.release(source)
            return continuation
        }
        next?.resume()
    }
}

extension PasswordHasher.State {
    fileprivate mutating func release(_ source: String) {
        let left = (ofSource[source] ?? 1) - 1
        ofSource[source] = left > 0 ? left : nil
    }
}
