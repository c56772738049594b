import CQRSPlugin
import CaseworkPlugin
import DocumentsPlugin
import PCSCommand
import PaymentsPlugin
import PracticeChangesPlugin
import StorageSQLite

/// The composition root: the one place that names the storage engine and the plugins.
@main
enum Main {
    static func main() async {
        await PCSCommandLine.run(
            Composition(
                engine: { folder in SQLiteEngine(folder: folder) },
                plugins: [
                    PaymentsPlugin.self, CQRSPlugin.self, CaseworkPlugin.self, DocumentsPlugin.self,
                    PracticeChangesPlugin.self,
                ]))
    }
}
