import CommonContract
import PluginAPI

/// Who is told about a payee's account and payments: those who read its statements.
struct PayeeContacts {
    let organisations: any OrganisationDirectory
    let today: CalendarDate

    func role(of payee: ODSCode, _ reader: any Reader) throws -> Pcs_Access_V1_Role {
        switch organisations.organisation(payee, at: today)?.kind {
        case .practice: return .practiceStatements
        case .pcn: return .pcnViewer
        case .localMedicalCommittee: return .lmcViewer
        case .pharmacy, .pharmacyHeadquarters, .opticalSite, .opticalHeadquarters: return .contractorStatements
        default: break
        }
        if try OphthalmicContractorStore.contractor(payee, on: today, reader) != nil { return .contractorStatements }
        let committees = try LevyStore.book(knownAt: .max, reader).committees(on: today)
        return committees.values.contains { $0.payee == payee } ? .lmcViewer : .practiceStatements
    }
}
