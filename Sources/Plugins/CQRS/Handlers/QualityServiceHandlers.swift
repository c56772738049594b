import Digests
import CommonContract
import CqrsContract
import HostContract
import PluginAPI

/// Definitions of services and national figures.
struct QualityServiceHandlers: Pcs_Cqrs_V1_QualityServiceService {
    let context: PluginContext

    func loadServices(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadServicesRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ServicesLoad {
        let first = requests.first
        try Upload.checkName(first.fileName)
        var files: [Pcs_Cqrs_V1_ServiceFile: [UInt8]] = [:]
        var size = 0
        for try await request in requests {
            guard [.services, .indicators, .tariffs].contains(request.file) else {
                throw Failure.field("file", "SVC01", "The file is SERVICES, INDICATORS or TARIFFS.")
            }
            size += request.data.count
            guard size <= Upload.limit else { throw Failure(CqrsReasons.fileTooLarge) }
            files[request.file, default: []] += Array(request.data)
        }
        let (services, indicators, tariffs) = (
            files[.services] ?? [], files[.indicators] ?? [], files[.tariffs] ?? []
        )
        let (definitions, violations) = DefinitionFiles.read(
            services: services, indicators: indicators, tariffs: tariffs)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let file = UploadedFile(
            name: first.fileName, bytes: [],
            sha256: Digest.hex(Digest.sha256(services + indicators + tariffs)))
        try context.store.read { try requireDrafts(definitions, $0) }
        let actor = call.caller.responsible
        if first.dryRun {
            return reply(definitions.map { draft($0, actor, call.now) }, file, dryRun: true)
        }
        return try await call.commit { transaction in
            try requireDrafts(definitions, transaction)
            _ = try ReferenceStore.record(
                .services, file, rows: definitions.count, by: actor, in: transaction)
            let records = definitions.map { draft($0, actor, transaction.now) }
            for record in records {
                try ServiceStore.save(record, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "service/\(record.definition.code)/\(record.definition.version)",
                        detail: "draft loaded, sha256 \(record.sha256)"))
            }
            return reply(records, file, dryRun: false)
        }
    }

    /// A published definition is immutable: its correction is the next version.
    private func requireDrafts(_ definitions: [ServiceDefinition], _ reader: any Reader) throws {
        var violations: [Violation] = []
        for definition in definitions {
            guard let record = try ServiceStore.record(definition.code, definition.version, reader) else {
                continue
            }
            if record.state != .draft {
                violations.append(
                    Violation(
                        field: "services.version", rule: "SVC01",
                        message: "\(definition.code) version \(definition.version) is published"))
            }
        }
        if !violations.isEmpty { throw Failure(CqrsReasons.serviceImmutable, violations: violations) }
    }

    private func draft(_ definition: ServiceDefinition, _ actor: String, _ now: Instant)
        -> ServiceStore.Record
    {
        ServiceStore.Record(
            definition: definition, state: .draft, sha256: DefinitionText.hash(definition), loadedBy: actor,
            loadedAt: now,
            publishedBy: "", publishedAt: nil)
    }

    private func reply(_ records: [ServiceStore.Record], _ file: UploadedFile, dryRun: Bool)
        -> Pcs_Cqrs_V1_ServicesLoad
    {
        .with {
            $0.services = records.map { Pcs_Cqrs_V1_ServiceDefinition($0, whole: false) }
            $0.dryRun = dryRun
            $0.sha256 = file.sha256
        }
    }

    func publishService(
        _ request: Pcs_Cqrs_V1_PublishServiceRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ServiceDefinition {
        try await call.commit { transaction in
            let record = try find(request.code, request.version, transaction)
            guard record.sha256 == request.definitionSha256 else {
                throw Failure(CqrsReasons.definitionChanged)
            }
            try call.requireOtherPerson(than: record.loadedBy, step: "publish a definition")
            return try move(record, to: .published, reason: "", call, transaction)
        }
    }

    func closeService(
        _ request: Pcs_Cqrs_V1_CloseServiceRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ServiceDefinition {
        guard let state = ServiceState(rawValue: request.state.rawValue),
            state.rawValue > ServiceState.published.rawValue
        else {
            throw Failure.field(
                "state", "3.1", "A service is closed to submission, to payment, or archived.")
        }
        guard (3...500).contains(request.reason.count) else {
            throw Failure.field("reason", "reason", "A reason of 3 to 500 characters is needed.")
        }
        return try await call.commit { transaction in
            let record = try find(request.code, request.version, transaction)
            return try move(record, to: state, reason: request.reason, call, transaction)
        }
    }

    private func move(
        _ record: ServiceStore.Record, to state: ServiceState, reason: String, _ call: CallContext,
        _ transaction: any Transaction
    ) throws -> Pcs_Cqrs_V1_ServiceDefinition {
        guard record.state.may(become: state) else {
            throw Failure(
                CqrsReasons.serviceStateWrong, "The service is \(record.state) and cannot become \(state).")
        }
        try ServiceStore.move(record, to: state, by: call.caller.responsible, reason: reason, in: transaction)
        let definition = record.definition
        transaction.audit(
            AuditNote(
                object: "service/\(definition.code)/\(definition.version)",
                detail: "\(record.state) -> \(state)"))
        return Pcs_Cqrs_V1_ServiceDefinition(
            try find(definition.code, Int32(clamping: definition.version), transaction), whole: true)
    }

    private func find(_ code: String, _ version: Int32, _ reader: any Reader) throws -> ServiceStore.Record {
        let found =
            version == 0
            ? try ServiceStore.published(code, reader) ?? ServiceStore.versions(of: code, reader).first
            : try ServiceStore.record(code, Int(version), reader)
        guard let found else {
            throw Failure(CqrsReasons.serviceUnknown, "There is no service \(code.prefix(20)).")
        }
        return found
    }

    func getService(
        _ request: Pcs_Cqrs_V1_GetServiceRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ServiceDefinition {
        try context.store.read {
            Pcs_Cqrs_V1_ServiceDefinition(try find(request.code, request.version, $0), whole: true)
        }
    }

    func listServices(
        _ request: Pcs_Cqrs_V1_ListServicesRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListServicesResponse {
        let day = request.hasInForceOn ? request.inForceOn.calendarDate : nil
        let records = try context.store.read { try ServiceStore.all($0) }.filter { record in
            let definition = record.definition
            return (request.financialYear.isEmpty || definition.financialYear == request.financialYear)
                && (request.paymentType == .unspecified
                    || definition.paymentType.rawValue == request.paymentType.rawValue)
                && (day.map { definition.covers($0) && record.state != .draft } ?? true)
        }
        return .with { $0.services = records.map { Pcs_Cqrs_V1_ServiceDefinition($0, whole: false) } }
    }

    func loadConstants(
        _ requests: RequestStream<Pcs_Cqrs_V1_LoadConstantsRequest>, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ConstantsLoad {
        let first = requests.first
        let file = try await Upload.collect(requests, name: first.fileName) { Array($0.data) }
        let (rows, violations) = ConstantsFile.read(file.bytes)
        guard violations.isEmpty else { throw Failure.cqrsFile(violations) }
        let actor = call.caller.responsible
        if first.dryRun {
            return try context.store.read { reader in
                var message = reply(rows, try news(rows, reader), file, id: "", dryRun: true)
                message.warnings = PointValueCheck(try ReferenceStore.constants(reader) + rows).warnings(about: rows)
                return message
            }
        }
        return try await call.commit { transaction in
            let news = try news(rows, transaction)
            let load = try ReferenceStore.record(
                .constants, file, rows: rows.count, by: actor, in: transaction)
            try ReferenceStore.add(news, load: load, in: transaction)
            transaction.audit(
                AuditNote(
                    object: "constants/\(load)", detail: "\(news.count) new figures, sha256 \(file.sha256)"))
            var message = reply(rows, news, file, id: String(load), dryRun: false)
            message.warnings = PointValueCheck(try ReferenceStore.constants(transaction)).warnings(about: rows)
            for warning in message.warnings {
                transaction.audit(AuditNote(object: "constants/\(load)", detail: warning))
            }
            return message
        }
    }

    /// Rows that say something else than what holds now.
    private func news(_ rows: [NationalFigures.Row], _ reader: any Reader) throws -> [NationalFigures.Row] {
        let figures = NationalFigures(try ReferenceStore.constants(reader))
        return rows.filter { row in
            let present = figures.rows(named: row.name).last { $0.group == row.group && $0.from == row.from }
            guard var present else { return true }
            present.version = 0
            return present != row
        }
    }

    private func reply(
        _ rows: [NationalFigures.Row], _ news: [NationalFigures.Row], _ file: UploadedFile, id: String,
        dryRun: Bool
    ) -> Pcs_Cqrs_V1_ConstantsLoad {
        .with {
            $0.loadID = id
            $0.rows = Int64(rows.count)
            $0.added = Int64(news.count)
            $0.unchanged = Int64(rows.count - news.count)
            $0.sha256 = file.sha256
            $0.dryRun = dryRun
        }
    }

    func listConstants(
        _ request: Pcs_Cqrs_V1_ListConstantsRequest, _ call: CallContext
    ) async throws -> Pcs_Cqrs_V1_ListConstantsResponse {
        let rows = try context.store.read { try ReferenceStore.constants($0) }
        return .with { response in
            response.constants = rows.filter { request.name.isEmpty || $0.name == request.name }.map { row in
                .with {
                    $0.name = row.name
                    $0.group = row.group
                    $0.value = row.value.description
                    $0.validFrom = Pcs_Common_V1_Date(row.from)
                    if let to = row.to { $0.validTo = Pcs_Common_V1_Date(to) }
                    $0.source = row.source
                    $0.confidence = .init(rawValue: row.confidence.rawValue) ?? .unspecified
                    $0.version = row.version
                    $0.note = row.note
                }
            }
        }
    }
}
