import CommonContract
import HostContract
import PaymentsContract
import PluginAPI

/// Who reads of a payee's money (payments.md 8.3, 12.8): the role follows what kind of organisation the payee is.
enum PayeeAudience {
    static func role(
        of payee: ODSCode, on day: CalendarDate, _ organisations: any OrganisationDirectory, _ reader: any Reader
    ) throws -> Pcs_Access_V1_Role {
        switch organisations.organisation(payee, at: day)?.kind {
        case .practice, .branchSurgery: return .practiceStatements
        case .pcn: return .pcnViewer
        case .localMedicalCommittee: return .lmcViewer
        case .pharmacy, .pharmacyHeadquarters, .opticalHeadquarters, .opticalSite: return .contractorStatements
        default: break
        }
        // Committees and ophthalmic contractors need not be in the register.
        let committees = try LevyStore.book(knownAt: .max, reader).committees(on: day)
        if committees[payee] != nil || committees.values.contains(where: { $0.payee == payee }) { return .lmcViewer }
        if try OphthalmicContractorStore.contractor(payee, on: day, reader) != nil { return .contractorStatements }
        return payee.looksLikePractice ? .practiceStatements : .contractorStatements
    }
}
