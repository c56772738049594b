import PaymentsContract
import PluginAPI

/// Takes claims of one contractor in, in their order: judges each with what is stored and with those before it. The same
/// claims in other batches come to the same.
struct OphthalmicIntake {
    struct Incoming: Sendable {
        var claim: GOSClaim
        var contents: [UInt8]
        /// Whose claim it is.
        var person: String
        var key: Int64
        /// Found without the store.
        var rejections: [GOSRejection]

        init(claim: GOSClaim, contents: [UInt8], rejections: [GOSRejection]) {
            self.claim = claim
            self.contents = contents
            person = claim.person
            key = GOSClaim.key(of: person)
            self.rejections = rejections
        }
    }

    let contractor: ODSCode
    let rates: RateTable
    private let transaction: any Transaction
    private let batchNumber: Int64
    private var new: [OphthalmicStore.Claim] = []
    private var newByReference: [String: Int] = [:]
    private var replaced: [String: OphthalmicStore.Claim] = [:]
    private var taken: [Person: [String]] = [:]
    private var visits: [String: VisitStore.Visit?] = [:]
    private var places: [String: Int64] = [:]
    private var totals = GOSTotals()
    private var accepted: Int64 = 0
    private var known: Int64 = 0
    private var awaiting: Int64 = 0
    private var rejected: [(String, [GOSRejection])] = []

    private struct Person: Hashable {
        var key: Int64
        var day: Int64
        var form: Int64
    }

    init(_ contractor: ODSCode, rates: RateTable, in transaction: any Transaction) throws {
        self.contractor = contractor
        self.rates = rates
        self.transaction = transaction
        batchNumber = try OphthalmicStore.nextBatchNumber(transaction)
    }

    mutating func take(_ incoming: Incoming) throws {
        let claim = incoming.claim
        // Without a usable reference nothing can be kept under it.
        guard (1...40).contains(claim.reference.utf8.count) else {
            rejected.append((String(claim.reference.prefix(40)), incoming.rejections))
            return
        }
        let stored: OphthalmicStore.Claim? =
            if let index = newByReference[claim.reference] { new[index] } else {
                try replaced[claim.reference]
                    ?? OphthalmicStore.claim(contractor, claim.reference, transaction)
            }
        if let stored, stored.state == .accepted || stored.state == .recovered {
            if stored.contents == incoming.contents {
                known += 1
            } else {
                rejected.append((claim.reference, [.referenceTaken]))
            }
            return
        }
        var rejections = incoming.rejections
        var place: Int64 = 0
        if rejections.isEmpty {
            rejections = try judge(incoming, &place)
        }
        if let stored, stored.state == .rejected, stored.contents == incoming.contents,
            stored.codes == rejections
        {
            known += 1
            rejected.append((claim.reference, rejections))
            return
        }
        let record = OphthalmicStore.Claim(
            contractor: contractor, reference: claim.reference, version: (stored?.version ?? 0) + 1,
            state: rejections.isEmpty ? .accepted : .rejected, person: incoming.key,
            performedOn: Int64(claim.performedOn?.daysSince1970 ?? 0), form: Int64(claim.form?.rawValue ?? 0),
            place: place, batch: batchNumber, codes: rejections, contents: incoming.contents)
        if let stored { try OphthalmicStore.keepPast(stored, in: transaction) }
        if let index = newByReference[claim.reference] {
            new[index] = record
        } else if stored == nil {
            newByReference[claim.reference] = new.count
            new.append(record)
        } else {
            replaced[claim.reference] = record
        }
        guard rejections.isEmpty else {
            rejected.append((claim.reference, rejections))
            return
        }
        accept(incoming, place)
    }

    private mutating func accept(_ incoming: Incoming, _ place: Int64) {
        let claim = incoming.claim
        accepted += 1
        taken[person(incoming), default: []].append(incoming.person)
        if place > 0 { places[claim.visit] = place }
        let parts = GOSEntitlement.of(claim, place: place)
        totals.add(parts)
        if parts.contains(where: { OphthalmicMonth.group($0, rates) == nil }) { awaiting += 1 }
    }

    private func person(_ incoming: Incoming) -> Person {
        let claim = incoming.claim
        return Person(
            key: incoming.key, day: Int64(claim.performedOn?.daysSince1970 ?? 0),
            form: Int64(claim.form?.rawValue ?? 0))
    }

    /// What needs the other claims and the visits notified.
    private mutating func judge(_ incoming: Incoming, _ place: inout Int64) throws -> [GOSRejection] {
        let claim = incoming.claim
        let person = person(incoming)
        if taken[person]?.contains(incoming.person) == true { return [.duplicate] }
        let others = try OphthalmicStore.accepted(
            person: person.key, on: person.day, form: person.form, transaction)
        for other in others {
            let contents = try Pcs_Payments_V1_OphthalmicClaimContents(serializedBytes: other.contents)
            if GOSClaim(contents).person == incoming.person { return [.duplicate] }
        }
        guard claim.form == .domiciliary else { return [] }
        if visits[claim.visit] == nil {
            visits[claim.visit] = .some(try VisitStore.visit(contractor, claim.visit, transaction))
            places[claim.visit] = try VisitStore.taken(contractor, claim.visit, transaction)
        }
        guard case .some(.some(let visit)) = visits[claim.visit] else { return [.visitUnknown] }
        if visit.on != claim.performedOn { return [.visitDayDiffers] }
        if visit.awaitsApproval { return [.visitAwaitsApproval] }
        place = (places[claim.visit] ?? 0) + 1
        if place > visit.patients {
            place = 0
            return [.visitFull]
        }
        return []
    }

    /// Stores everything, and says what became of it.
    mutating func finish(by actor: String) throws -> Pcs_Payments_V1_OphthalmicBatch {
        let batchID = transaction.newIdentifier()
        var seq: Int64?
        if accepted > 0 {
            // What is new changes no month already paid.
            seq = try InputLog.record(
                .ophthalmic, from: nil, to: nil, by: actor, detail: "\(accepted) claims of \(contractor)",
                in: transaction)
        }
        try OphthalmicStore.add(
            OphthalmicStore.Batch(
                number: batchNumber, id: batchID, contractor: contractor, seq: seq, accepted: accepted,
                rejected: Int64(rejected.count), by: actor, totals: totals), in: transaction)
        func numbered(_ claim: OphthalmicStore.Claim) -> OphthalmicStore.Claim {
            var claim = claim
            if claim.state == .accepted { claim.seq = seq }
            return claim
        }
        try OphthalmicStore.add(new.map(numbered), in: transaction)
        for claim in replaced.values { try OphthalmicStore.update(numbered(claim), in: transaction) }
        for (visit, place) in places where place > 0 {
            try VisitStore.setTaken(contractor, visit, place, in: transaction)
        }
        let counts = (accepted, rejected, known, awaiting)
        return .with {
            $0.batchID = batchID
            $0.accepted = Int32(clamping: counts.0)
            $0.rejected = Int32(clamping: counts.1.count)
            $0.known = Int32(clamping: counts.2)
            $0.awaitingFee = Int32(clamping: counts.3)
            $0.rejections = counts.1.map { reference, rejections in
                .with {
                    $0.reference = reference
                    $0.codes = rejections.map(\.code)
                    $0.messages = rejections.map(\.message)
                }
            }
        }
    }
}
