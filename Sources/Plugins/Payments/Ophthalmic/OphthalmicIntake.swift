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
    /// Patients with an accepted claim, by visit; and by place and day, over all visits there.
    private var takenByVisit: [String: Int64] = [:]
    private var takenAtPlace: [PlaceAndDay: Int64] = [:]
    private var totals = GOSTotals()
    private var accepted: Int64 = 0
    private var known: Int64 = 0
    private var awaiting: Int64 = 0
    private var rejected: [(reference: String, rejections: [GOSRejection], messages: [String])] = []

    private struct PlaceAndDay: Hashable {
        var place: VisitStore.Place
        var day: CalendarDate
    }

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
            reject(claim, incoming.rejections)
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
                reject(claim, [.referenceTaken])
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
            reject(claim, rejections)
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
            reject(claim, rejections)
            return
        }
        accept(incoming, place)
    }

    private mutating func reject(_ claim: GOSClaim, _ rejections: [GOSRejection]) {
        let deadline = ClaimDeadline(rates: rates)
        rejected.append(
            (String(claim.reference.prefix(40)), rejections, rejections.map { $0.message(of: claim, deadline) }))
    }

    private mutating func accept(_ incoming: Incoming, _ place: Int64) {
        let claim = incoming.claim
        accepted += 1
        taken[person(incoming), default: []].append(incoming.person)
        if case .some(.some(let visit)) = visits[claim.visit], place > 0 {
            takenByVisit[claim.visit, default: 0] += 1
            takenAtPlace[PlaceAndDay(place: visit.place, day: visit.on), default: 0] += 1
        }
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
            takenByVisit[claim.visit] = try VisitStore.taken(contractor, claim.visit, transaction)
        }
        guard case .some(.some(let visit)) = visits[claim.visit] else { return [.visitUnknown] }
        if visit.on != claim.performedOn { return [.visitDayDiffers] }
        if visit.awaitsApproval { return [.visitAwaitsApproval] }
        if (takenByVisit[claim.visit] ?? 0) >= visit.patients { return [.visitFull] }
        place = try taken(at: visit) + 1
        return []
    }

    /// The first two of an address and day are paid more, under however many references they were notified.
    private mutating func taken(at visit: VisitStore.Visit) throws -> Int64 {
        let key = PlaceAndDay(place: visit.place, day: visit.on)
        if let known = takenAtPlace[key] { return known }
        var sum: Int64 = 0
        for other in try VisitStore.together(with: visit, transaction) {
            sum += try VisitStore.taken(contractor, other.reference, transaction)
        }
        takenAtPlace[key] = sum
        return sum
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
        for (visit, taken) in takenByVisit where taken > 0 {
            try VisitStore.setTaken(contractor, visit, taken, in: transaction)
        }
        let counts = (accepted, rejected, known, awaiting)
        return .with {
            $0.batchID = batchID
            $0.accepted = Int32(clamping: counts.0)
            $0.rejected = Int32(clamping: counts.1.count)
            $0.known = Int32(clamping: counts.2)
            $0.awaitingFee = Int32(clamping: counts.3)
            $0.rejections = counts.1.map { rejected in
                .with {
                    $0.reference = rejected.reference
                    $0.codes = rejected.rejections.map(\.code)
                    $0.messages = rejected.messages
                }
            }
        }
    }
}
