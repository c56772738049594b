import Digests
import CqrsContract
import HostContract
import PluginAPI
import Tabular

/// Puts the pieces of an uploaded file together.
enum Upload {
    /// Largest reference file taken; extracts are read as a stream and may be larger.
    static let limit = 32 << 20
    /// Largest extract.
    static let extractLimit = 512 << 20

    static func collect<Request>(
        _ requests: RequestStream<Request>, name: String, limit: Int = limit,
        bytes: @Sendable (Request) -> [UInt8]
    ) async throws -> UploadedFile {
        try checkName(name)
        var content: [UInt8] = []
        for try await request in requests {
            let piece = bytes(request)
            guard content.count + piece.count <= limit else { throw Failure(CqrsReasons.fileTooLarge) }
            content += piece
        }
        return UploadedFile(name: name, bytes: content, sha256: Digest.hex(Digest.sha256(content)))
    }

    static func checkName(_ name: String) throws {
        guard name.count <= 200 else {
            throw Failure.field("file_name", "UP07", "A file name has at most 200 characters.")
        }
    }
}

extension Failure {
    static func cqrsFile(_ violations: ViolationList) -> Failure {
        violations.failure(HostReasons.fileInvalid)
    }
}

extension CQRSError {
    /// What the caller is told.
    var failure: Failure {
        switch self {
        case .constantMissing(let name, let group, let day):
            Failure(
                CqrsReasons.constantMissing, "The national figure \(name) \(group) is not loaded for \(day).")
        case .populationMissing(let base, let organisation, let day):
            Failure(
                CqrsReasons.populationMissing,
                "The population \(base) of \(organisation) is not loaded for \(day).")
        case .tariffMissing(let service, let day):
            Failure(CqrsReasons.tariffMissing, "\(service) has no tariff on \(day).")
        case .amountOutOfRange(let provider):
            Failure(
                CqrsReasons.amountOutOfRange,
                "An amount of \(provider) is too large to be calculated exactly.")
        case .damaged(let what): Failure(CqrsReasons.resultDamaged, "The stored \(what) is damaged.")
        }
    }
}

/// Runs `body` and turns what the domain throws into what the caller is told.
func refusingCQRS<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as CQRSError {
        throw error.failure
    } catch is CompactCodingError {
        throw CQRSError.damaged("result").failure
    }
}
