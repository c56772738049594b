import CommonContract
import PaymentsContract
import PluginAPI

extension GOSClaim {
    /// What the message says; what it does not say, or says wrongly, is missing, and the check names it.
    init(_ contents: Pcs_Payments_V1_OphthalmicClaimContents) {
        func text(_ text: String) -> String { text.count <= 100 ? text : "" }
        reference = contents.reference
        form = GOSForm(rawValue: UInt8(clamping: contents.form.rawValue))
        nhsNumber = contents.patientNhsNumber
        surname = text(contents.patientSurname)
        forenames = text(contents.patientForenames)
        born = contents.hasPatientBorn ? contents.patientBorn.calendarDate : nil
        guardian = text(contents.guardianName)
        eligibility = Eligibility(rawValue: UInt8(clamping: contents.eligibility.rawValue))
        performedOn = contents.hasPerformedOn ? contents.performedOn.calendarDate : nil
        lastTestOn = contents.hasLastSightTestOn ? contents.lastSightTestOn.calendarDate : nil
        neverTested = contents.neverTested
        performer = contents.performerNumber
        performerSignedOn = contents.hasPerformerSignedOn ? contents.performerSignedOn.calendarDate : nil
        contractorSignedOn = contents.hasContractorSignedOn ? contents.contractorSignedOn.calendarDate : nil
        patientSignedOn = contents.hasPatientSignedOn ? contents.patientSignedOn.calendarDate : nil
        right = contents.hasRight ? LensPower(contents.right) : nil
        left = contents.hasLeft ? LensPower(contents.left) : nil
        isBifocal = contents.bifocal
        isPrismControlled = contents.prismControlled
        hospital = Hospital(rawValue: UInt8(clamping: contents.hospital.rawValue)) ?? .none
        prescribedOn = contents.hasPrescribedOn ? contents.prescribedOn.calendarDate : nil
        voucher = VoucherType(letter: contents.voucherType)
        price = contents.pricePence
        contribution = contents.contributionPence
        isSmall = contents.smallGlasses
        tints = Int64(contents.tintedLenses)
        prisms = Int64(contents.prismLenses)
        repairReason = text(contents.repairReason)
        visit = text(contents.visitReference)
        isOnPaper = contents.onPaper
        supervisedFrom = contents.hasSupervisedFrom ? contents.supervisedFrom.calendarDate : nil
    }
}

extension LensPower {
    fileprivate init(_ lens: Pcs_Payments_V1_LensPower) {
        self.init(sphere: lens.sphereHundredths, cylinder: lens.cylinderHundredths)
    }
}
