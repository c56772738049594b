package import HostContract

/// Backups as people see them.
package enum BackupView {
    package static func one(_ backup: Pcs_Host_V1_Backup, for terminal: Terminal) -> String {
        var sheet = Sheet()
        sheet.add("backup", backup.name, style: .bold)
        sheet.add("taken at", Wording.moment(backup.takenAt, isSet: backup.hasTakenAt))
        sheet.add("verified", verified(backup), style: backup.verified ? .good : .bad)
        sheet.addUnlessEmpty("folder", backup.folder)
        sheet.add("took", Wording.duration(milliseconds: backup.milliseconds))
        var files = Table([
            .left("store"), .right("bytes"), .right("audit entries"),
            .left("last audit hash", mayShorten: true),
            .left("sha-256", mayShorten: true),
        ])
        for file in backup.files {
            files.add(
                Table.Cell(file.store), Table.Cell(Wording.count(file.bytes)),
                Table.Cell(Wording.count(file.auditEntries)),
                Table.Cell(file.auditLastHash), Table.Cell(file.sha256))
        }
        return sheet.rendered(for: terminal) + "\n\n" + files.rendered(for: terminal)
    }

    package static func table(_ backups: [Pcs_Host_V1_Backup], for terminal: Terminal) -> String {
        guard !backups.isEmpty else { return "there is no backup yet" }
        var table = Table([
            .left("backup"), .left("taken at"), .left("verified"), .right("files"), .right("bytes"),
        ])
        for backup in backups {
            table.add(
                Table.Cell(backup.name, style: .bold),
                Table.Cell(Wording.moment(backup.takenAt, isSet: backup.hasTakenAt)),
                Table.Cell(verified(backup), style: backup.verified ? .good : .bad),
                Table.Cell("\(backup.files.count)"),
                Table.Cell(Wording.count(backup.files.reduce(0) { $0 + $1.bytes })))
        }
        return table.rendered(for: terminal)
    }

    private static func verified(_ backup: Pcs_Host_V1_Backup) -> String {
        guard backup.verified else { return "no" }
        return backup.hasVerifiedAt ? Wording.moment(backup.verifiedAt, isSet: true) : "yes"
    }
}
