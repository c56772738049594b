package import PluginAPI

extension SQLiteEngine {
    /// Copies live databases as of one moment.
    ///
    /// All writers are brought to a stand between two groups, a snapshot is pinned on each file, and the
    /// writers go on; only that moment holds up writes. The pages are then copied from the snapshots, so what
    /// is written meanwhile is in no copy, and what had been acknowledged before is in all of them. Files and
    /// folder are flushed before it returns.
    package func backup(_ databases: [any Database], to folder: String) async throws -> [String: String] {
        let sources = try databases.map { database in
            guard let source = database as? SQLiteDatabase else {
                throw StorageError.unusable(message: "database \(database.name) belongs to another engine")
            }
            return source
        }
        try Files.createFolder(folder)
        let pinned = try await pin(sources)
        defer { for connection in pinned { connection.close() } }
        var files: [String: String] = [:]
        for (source, connection) in zip(sources, pinned) {
            let file = source.name + SQLiteEngine.suffix
            try await inBackground {
                let path = folder + "/" + file
                guard !Files.exists(path) else {
                    throw StorageError.unusable(message: "\(file) is in the folder of the backup already")
                }
                try connection.copyPages(to: path)
                try Files.sync(path)
            }
            files[source.name] = file
        }
        try Files.sync(folder)
        return files
    }

    private func pin(_ sources: [SQLiteDatabase]) async throws -> [SQLiteConnection] {
        // Opened before the stand: it then lasts only as long as one small read of each file.
        let connections = try sources.map { try ReaderPool.open($0.path) }
        await withTaskGroup(of: Void.self) { group in
            for source in sources { group.addTask { await source.pause() } }
        }
        defer { for source in sources { source.proceed() } }
        for (source, connection) in zip(sources, connections) { try source.pin(connection) }
        return connections
    }

    /// Puts a copy in the place of a closed database: at every moment, a crash leaves either the old or the
    /// new one.
    package func restore(_ name: String, from folder: String) throws {
        let path = try path(of: name)
        guard !isOpen(name) else {
            throw StorageError.unusable(message: "database \(name) is open and cannot be replaced")
        }
        try Files.createFolder(self.folder)
        let arriving = path + ".arriving"
        try Files.copy(folder + "/" + name + SQLiteEngine.suffix, to: arriving)
        // The old log must not be found beside the new file; what it holds belongs into the old file first,
        // in case the exchange does not happen. A damaged old file is no reason to keep the new one out.
        if Files.exists(path + "-wal"), let old = try? SQLiteConnection(path: path, mode: .writer) {
            _ = try? old.texts("SELECT count(*) FROM sqlite_schema")
            old.close()
        }
        try Files.remove(path + "-wal")
        try Files.remove(path + "-shm")
        try Files.move(arriving, over: path)
        try Files.sync(self.folder)
    }

    func inBackground<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { caller in
            background.async { caller.resume(with: Result { try work() }) }
        }
    }
}
