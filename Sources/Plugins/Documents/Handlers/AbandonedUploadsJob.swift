import PluginAPI

/// Uploads that were not completed in their time are discarded with their bytes. Safe to run again.
enum AbandonedUploadsJob {
    static func run(_ context: PluginContext) async throws -> String {
        let now = context.clock.now
        let overdue = try context.store.read { try UploadStore.overdue(at: now, $0) }
        guard !overdue.isEmpty else { return "no upload is overdue" }
        return try await context.store.write(actor: "job/abandoned-uploads") { transaction in
            var ended = 0
            for upload in overdue {
                guard let present = try UploadStore.upload(upload.id, transaction), present.state == .open
                else {
                    continue
                }
                try UploadStore.end(present, as: .expired, in: transaction)
                transaction.audit(
                    AuditNote(
                        object: "upload/\(upload.id)", organisation: upload.organisation,
                        detail: "not completed in time; \(present.confirmed) bytes discarded"))
                ended += 1
            }
            return "discarded \(ended) uploads"
        }
    }
}
