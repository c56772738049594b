import CommonContract
import CqrsContract
import HostContract
import PluginAPI
import SwiftProtobuf
import Tabular

// Bulk claims: template, upload, result, second review (10.5).
extension LocalClaimHandlers {
    // MARK: Template

    func makeBulkTemplate(
        _ request: Pcs_Cqrs_V1_MakeBulkTemplateRequest, _ reply: ReplyStream<Pcs_Cqrs_V1_LocalFileChunk>,
        _ call: CallContext
    ) async throws {
        let file = try context.store.read { reader in
            let scheme = try scheme(request.serviceID, request.commissionerCode, reader)
            let windows = try LocalWindowStore.windows(of: scheme.id, reader).filter {
                request.windowIds.isEmpty
                    ? $0.opens <= call.today && call.today <= $0.lastDay(extended: nil)
                    : request.windowIds.contains($0.id)
            }
            let terms = try LocalContractStore.terms(in: scheme.id, of: request.commissionerCode, reader)
                .filter {
                    $0.isBulkAgreed
                        && (request.providerCodes.isEmpty || request.providerCodes.contains($0.provider))
                }.sorted { $0.provider < $1.provider }
            var writer = CSVWriter()
            writer.append(LocalBulkFile.header())
            for term in terms {
                let name =
                    ODSCode(term.provider).flatMap {
                        context.organisations.organisation($0, at: call.today)?.name
                    } ?? ""
                for window in windows where term.start <= window.activityTo && window.activityFrom <= term.end
                {
                    for component in scheme.components
                    where term.holds(scheme.id, component.id)
                        && (request.componentIds.isEmpty || request.componentIds.contains(component.id))
                    {
                        writer.append([
                            .plain(term.provider), .text(name), .plain(window.id),
                            .plain("\(window.activityFrom)"),
                            .plain("\(window.activityTo)"), .plain(component.id), .text(component.name),
                            .plain("\(component.unit)"), .plain("\(Swift.min(window.activityTo, term.end))"),
                            .plain(""),
                            .plain(""),
                        ])
                    }
                }
            }
            return writer.bytes
        }
        try await send(file, reply)
    }

    private func scheme(_ id: String, _ commissioner: String, _ reader: any Reader) throws -> LocalScheme {
        guard let record = try LocalSchemeStore.present(id, reader), record.scheme.isOpen(to: commissioner)
        else {
            throw Failure(CqrsReasons.localServiceUnknown)
        }
        guard record.state == .published, !record.definition.participationOnly else {
            throw Failure(
                CqrsReasons.localServiceStateWrong, "The service is closed, or for participation only.")
        }
        return record.scheme
    }

    /// In pieces that the caller's credit takes one by one.
    func send(_ file: [UInt8], _ reply: ReplyStream<Pcs_Cqrs_V1_LocalFileChunk>) async throws {
        for start in stride(from: 0, to: file.count, by: 256 << 10) {
            try await reply.send(
                .with { $0.data = .init(file[start..<Swift.min(start + (256 << 10), file.count)]) })
        }
    }

    // MARK: Upload

    func uploadBulkClaims(_ requests: RequestStream<Pcs_Cqrs_V1_UploadBulkClaimsRequest>, _ call: CallContext)
        async throws
        -> Pcs_Cqrs_V1_BulkClaim
    {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        var unreadable: [Violation] = []
        let (table, rows) = try LocalBulkFile.read(file.bytes, rejecting: &unreadable)
        let (rejectedBefore, rowCount) = (unreadable, table.rowCount)
        return try await call.commit { transaction in
            if let earlier = try LocalBulkStore.record(
                sha256: file.sha256, first.commissionerCode, transaction)
            {
                var reply = try bulk(earlier, transaction)
                reply.alreadyUploaded = true
                return reply
            }
            let figures = try LocalGate.figures(transaction)
            try LocalGate(context: context, today: call.today).commissioner(first.commissionerCode, figures)
            let scheme = try scheme(first.serviceID, first.commissionerCode, transaction)
            guard scheme.backing.isEmpty else {
                throw Failure.field(
                    "service_id", "LOC-10", "A service with backing data is claimed claim by claim.")
            }
            let loading = LocalBulkLoading(
                commissioner: first.commissionerCode, scheme: scheme,
                windows: Dictionary(
                    try LocalWindowStore.windows(of: scheme.id, transaction).map { ($0.id, $0) },
                    uniquingKeysWith: { first, _ in first }),
                terms: Dictionary(
                    grouping: try LocalContractStore.terms(
                        in: scheme.id, of: first.commissionerCode, transaction),
                    by: \.provider), figures: figures, today: call.today)
            var outcome = try loading.claims(rows, transaction)
            outcome.rejections = (rejectedBefore + outcome.rejections).sorted { $0.row < $1.row }
            outcome.rejectedRows += rejectedBefore.count
            return try add(outcome, file, loading, rows: rowCount, call, transaction)
        }
    }

    private func add(
        _ outcome: LocalBulkLoading.Outcome, _ file: UploadedFile, _ loading: LocalBulkLoading, rows: Int,
        _ call: CallContext, _ transaction: any Transaction
    ) throws -> Pcs_Cqrs_V1_BulkClaim {
        let desk = LocalDesk(context: context, call: call, transaction)
        var bulk = LocalBulkStore.Record(
            commissioner: loading.commissioner, service: loading.scheme.id, fileName: file.name,
            sha256: file.sha256)
        bulk.number = try LocalBulkStore.nextNumber(transaction)
        bulk.id = transaction.newIdentifier()
        bulk.state = outcome.records.isEmpty ? .declined : .awaitingReview
        bulk.rows = Int64(rows)
        bulk.claims = Int64(outcome.records.count)
        bulk.rejectedRows = Int64(outcome.rejectedRows)
        bulk.pence = outcome.pence
        bulk.uploadedBy = desk.actor
        bulk.uploadedAt = transaction.now
        try LocalBulkStore.add(bulk, file, rejections: outcome.rejections, in: transaction)
        var records = outcome.records
        var number = try LocalClaimStore.lastNumber(transaction)
        for index in records.indices {
            number += 1
            records[index].number = number
            records[index].id = transaction.newIdentifier()
            records[index].bulk = bulk.number
            records[index].preparedBy = desk.actor
            records[index].submittedBy = desk.actor
        }
        let step = LocalClaimStore.Step(
            from: 0, to: LocalClaimState.bulkReview.rawValue, by: desk.actor, actingFor: desk.actingFor,
            at: transaction.now,
            reason: "upload " + bulk.id, figures: file.sha256)
        try LocalClaimStore.add(records, step, in: transaction)
        if !records.isEmpty { try LocalNotices.bulkUploaded(bulk, in: transaction) }
        transaction.audit(
            AuditNote(
                object: "local-bulk/" + bulk.id, organisation: bulk.commissioner,
                detail:
                    "\(bulk.claims) claims, \(Money(pence: bulk.pence)) pounds, \(bulk.rejectedRows) rows rejected, "
                    + "sha256 \(file.sha256)"))
        return try self.bulk(bulk, transaction)
    }

    // MARK: Result and review

    func readBulkResult(
        _ request: Pcs_Cqrs_V1_ReadBulkResultRequest, _ reply: ReplyStream<Pcs_Cqrs_V1_LocalFileChunk>,
        _ call: CallContext
    ) async throws {
        let file = try context.store.read { reader in
            let national = !call.caller.roles.isDisjoint(with: [Roles.cqrsOperator, Roles.auditor])
            guard let bulk = try LocalBulkStore.record(request.bulkID, reader),
                national || bulk.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localBulkUnknown) }
            return try result(bulk, reader)
        }
        try await send(file, reply)
    }

    private func result(_ bulk: LocalBulkStore.Record, _ reader: any Reader) throws -> [UInt8] {
        var unreadable: [Violation] = []
        let (table, rows) = try LocalBulkFile.read(
            LocalBulkStore.body(of: bulk.number, reader), rejecting: &unreadable)
        let read = Dictionary(rows.map { ($0.line, $0) }, uniquingKeysWith: { first, _ in first })
        let rejections = Dictionary(
            try LocalBulkStore.rejections(of: bulk.number, all: true, reader).map { ($0.row, $0) },
            uniquingKeysWith: { first, _ in first })
        var taken: [String: (claim: String, pence: Int64)] = [:]
        for record in try LocalClaimStore.of(bulk: bulk.number, reader) {
            var first = record
            first.linesVersion = 1
            for line in try LocalClaimStore.lines(of: first, reader) {
                taken["\(record.provider)/\(record.window)/\(line.component)/\(line.activity)"] = (
                    record.id, line.pence
                )
            }
        }
        let windows = Dictionary(
            try LocalWindowStore.windows(of: bulk.service, reader).map { ($0.id, $0.activityTo) },
            uniquingKeysWith: { first, _ in first })
        var writer = CSVWriter()
        writer.append(LocalBulkFile.header(LocalBulkFile.outcomes))
        for index in 0..<table.rowCount {
            let line = table.line(index)
            var cells: [CSVWriter.Cell] = table.texts(index).map { .text($0) }
            if let rejection = rejections[line] {
                cells += [
                    .plain("rejected"), .plain(""), .plain(""), .plain(rejection.rule),
                    .text(rejection.message),
                ]
            } else if let row = read[line], let day = row.activity ?? windows[row.window],
                let claim = taken["\(row.provider)/\(row.window)/\(row.component)/\(day)"]
            {
                let amount = Money(pence: claim.pence).description
                cells += [.plain("taken"), .plain(claim.claim), .plain(amount), .plain(""), .plain("")]
            } else {
                cells += [.plain("empty"), .plain(""), .plain(""), .plain(""), .plain("")]
            }
            writer.append(cells)
        }
        return writer.bytes
    }

    func reviewBulkClaims(_ request: Pcs_Cqrs_V1_ReviewBulkClaimsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_BulkClaim
    {
        var fields = RequestFields()
        fields.reason(request.reason, mayBeEmpty: request.accept)
        try fields.finish()
        return try await call.commit { transaction in
            try LocalGate(context: context, today: call.today)
                .commissioner(request.commissionerCode, LocalGate.figures(transaction))
            guard var bulk = try LocalBulkStore.record(request.bulkID, transaction),
                bulk.commissioner == request.commissionerCode
            else { throw Failure(CqrsReasons.localBulkUnknown) }
            guard bulk.state == .awaitingReview else {
                throw Failure(CqrsReasons.localClaimStateWrong, "The upload is \(bulk.state).")
            }
            try call.requireOtherPerson(than: bulk.uploadedBy, step: "review bulk claims")
            let desk = LocalDesk(context: context, call: call, transaction)
            bulk.state = request.accept ? .accepted : .declined
            bulk.reviewedBy = desk.actor
            bulk.reviewedAt = transaction.now
            bulk.reason = request.reason
            try LocalBulkStore.save(bulk, in: transaction)
            let event: LocalClaimEvent = request.accept ? .acceptBulk : .declineBulk
            for record in try LocalClaimStore.of(bulk: bulk.number, transaction) {
                guard let next = LocalClaimLifecycle.next(record.state, event) else { continue }
                var moved = record
                moved.state = next
                moved.version += 1
                moved.tier1By = desk.actor
                try LocalClaimStore.save(
                    moved,
                    desk.step(record.state, moved, "upload \(bulk.id) \(bulk.state) \(request.reason)"),
                    in: transaction)
            }
            try LocalNotices.bulkReviewed(bulk, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "local-bulk/" + bulk.id, organisation: bulk.commissioner,
                    detail:
                        "\(bulk.state): \(bulk.claims) claims, \(Money(pence: bulk.pence)) pounds \(request.reason)"
                ))
            return try self.bulk(bulk, transaction)
        }
    }

    func listBulkClaims(_ request: Pcs_Cqrs_V1_ListBulkClaimsRequest, _ call: CallContext) async throws
        -> Pcs_Cqrs_V1_ListBulkClaimsResponse
    {
        try context.store.read { reader in
            let all = try LocalBulkStore.of(commissioner: request.commissionerCode, reader).map {
                try bulk($0, reader)
            }
            return .with { $0.bulkClaims = all }
        }
    }

    private func bulk(_ record: LocalBulkStore.Record, _ reader: any Reader) throws -> Pcs_Cqrs_V1_BulkClaim {
        let rejections = try LocalBulkStore.rejections(of: record.number, all: false, reader)
        return .with {
            $0.bulkID = record.id
            $0.serviceID = record.service
            $0.fileName = record.fileName
            $0.sha256 = record.sha256
            $0.state = .init(rawValue: record.state.rawValue) ?? .unspecified
            $0.rows = record.rows
            $0.claims = record.claims
            $0.rejectedRows = record.rejectedRows
            $0.totalPence = record.pence
            $0.rejections = rejections.map { violation in
                .with {
                    $0.field = violation.field
                    $0.rule = violation.rule
                    $0.message = violation.message
                    $0.row = Int64(violation.row)
                }
            }
            $0.uploadedBy = record.uploadedBy
            $0.uploadedAt = Google_Protobuf_Timestamp(record.uploadedAt)
            $0.reviewedBy = record.reviewedBy
            if let at = record.reviewedAt { $0.reviewedAt = Google_Protobuf_Timestamp(at) }
            $0.reason = record.reason
        }
    }
}
