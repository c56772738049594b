import CaseworkContract
import ChangesContract
import CqrsContract
import DocumentsContract
import HostContract
import PaymentsContract
import PluginAPI

/// Every method of every contract.
enum Contracts {
    static let ofPlugins: [MethodDescriptor] =
        PaymentsContractDescriptors.methods + CaseworkContractDescriptors.methods
        + DocumentsContractDescriptors.methods + ChangesContractDescriptors.methods
        + CqrsContractDescriptors.methods
    static let all = HostContractDescriptors.methods + ofPlugins
}
