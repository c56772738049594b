import Accounting
import PluginAPI
import Testing

@testable import PaymentsPlugin

@Suite("Rules of General Ophthalmic Services (payments.md 10.2)")
struct OphthalmicRuleTests {
    private func type(_ sphere: Int32, _ cylinder: Int32, bifocal: Bool = false) -> String {
        VoucherType([LensPower(sphere: sphere, cylinder: cylinder)], isBifocal: bifocal).letter
    }

    @Test(
        "the voucher type follows from the power at every boundary, in hundredths of a dioptre",
        arguments: [
            (0, 0, "A"), (600, 200, "A"), (-600, -200, "A"), (625, 200, "B"), (600, 225, "B"),
            (975, 600, "B"),
            (-975, -600, "B"), (0, 600, "B"), (1_000, 0, "C"), (1_000, 600, "C"), (1_400, 600, "C"),
            (-1_400, 0, "C"), (1_425, 0, "D"), (0, 625, "D"), (1_000, 625, "D"), (-3_000, 1_500, "D"),
        ] as [(Int32, Int32, String)])
    func voucherTypes(sphere: Int32, cylinder: Int32, letter: String) throws {
        #expect(type(sphere, cylinder) == letter)
        let bifocal = try #require(["A": "E", "B": "F", "C": "G", "D": "H"][letter])
        #expect(type(sphere, cylinder, bifocal: true) == bifocal)
    }

    @Test("the stronger lens decides, and a hospital's prescription has its own types")
    func pairs() {
        let pair = [LensPower(sphere: 100, cylinder: 0), LensPower(sphere: -1_025, cylinder: 0)]
        #expect(VoucherType(pair, isBifocal: false).letter == "C")
        var claim = GOSClaim()
        #expect(claim.voucherByPower == nil)
        claim.right = LensPower(sphere: 0, cylinder: 0)
        claim.hospital = .glasses
        #expect(claim.voucherByPower == .i)
        claim.hospital = .contactLenses
        #expect(claim.voucherByPower == .j)
    }

    @Test("ten dioptres in either meridian make a lens complex")
    func complexity() {
        #expect(LensPower(sphere: 1_000, cylinder: 0).isComplex)
        #expect(!LensPower(sphere: 975, cylinder: 0).isComplex)
        #expect(LensPower(sphere: 950, cylinder: 50).isComplex)
        #expect(LensPower(sphere: -800, cylinder: -200).isComplex)
        #expect(!LensPower(sphere: -800, cylinder: 200).isComplex)
        #expect(!LensPower(sphere: 10, cylinder: 0).isSound)
        #expect(!LensPower(sphere: 3_025, cylinder: 0).isSound)
    }

    @Test(
        "the last day for a claim, clamped to the month's end; six months for tests until 2023",
        arguments: [
            (GOSForm.sightTest, "2025-11-30", "2026-02-28"), (.sightTest, "2023-11-30", "2024-05-30"),
            (.privateTestHelp, "2023-08-31", "2024-02-29"), (.domiciliary, "2023-12-31", "2024-06-30"),
            (.sightTest, "2024-01-01", "2024-04-01"), (.voucher, "2023-11-30", "2024-02-29"),
            (.repair, "2023-12-31", "2024-03-31"), (.voucher, "2025-05-15", "2025-08-15"),
        ] as [(GOSForm, String, String)])
    func deadlines(form: GOSForm, performed: String, last: String) throws {
        let deadline = ClaimDeadline(rates: RateTable(try World().rates))
        let day = try day(performed)
        let end = try PaymentsPluginTests.day(last)
        #expect(try deadline.last(form, performedOn: day) == end)
        #expect(try deadline.rejection(form, performedOn: day, isOnPaper: false, today: end) == nil)
        #expect(
            try deadline.rejection(form, performedOn: day, isOnPaper: false, today: end.adding(days: 1))
                == .tooLate)
    }

    @Test("paper was taken for work of 2023 until 31 March 2024, and within the limit")
    func paper() throws {
        let deadline = ClaimDeadline(rates: RateTable(try World().rates))
        func paper(_ performed: String, _ today: String) throws -> GOSRejection? {
            try deadline.rejection(
                .sightTest, performedOn: try day(performed), isOnPaper: true, today: try day(today))
        }
        #expect(try paper("2023-12-31", "2024-03-31") == nil)
        #expect(try paper("2023-12-31", "2024-04-01") == .paperEnded)
        #expect(try paper("2024-01-01", "2024-01-02") == .paperEnded)
        #expect(try paper("2023-08-01", "2024-02-02") == .tooLate)
    }

    @Test("education and training is claimed from July to 2 November of the year after")
    func window() throws {
        let deadline = ClaimDeadline(rates: RateTable(try World().rates))
        func claim(_ performed: String, _ today: String) throws -> GOSRejection? {
            try deadline.rejection(
                .professionalDevelopment, performedOn: try day(performed), isOnPaper: false,
                today: try day(today))
        }
        #expect(try claim("2025-12-31", "2026-06-30") == .outsideWindow)
        #expect(try claim("2025-12-31", "2026-07-01") == nil)
        #expect(try claim("2025-12-31", "2026-11-02") == nil)
        #expect(try claim("2025-12-31", "2026-11-03") == .outsideWindow)
        #expect(try claim("2024-12-31", "2026-08-01") == .outsideWindow)
        #expect(try claim("2025-06-30", "2026-08-01") == .outsideWindow)
    }

    private func sound(_ form: GOSForm) throws -> GOSClaim {
        var claim = GOSClaim()
        (claim.reference, claim.form) = ("R1", form)
        (claim.surname, claim.forenames, claim.performer) = ("Ash", "Jo", "01-12345")
        claim.nhsNumber = "9434765919"
        claim.born = try day("1950-02-03")
        claim.eligibility = form == .privateTestHelp ? .partialHelp : .aged60
        claim.performedOn = try day("2026-03-02")
        claim.lastTestOn = try day("2024-03-01")
        claim.prescribedOn = try day("2026-03-01")
        claim.performerSignedOn = try day("2026-03-02")
        claim.contractorSignedOn = try day("2026-03-02")
        claim.patientSignedOn = try day("2026-03-02")
        claim.right = LensPower(sphere: 100, cylinder: 0)
        claim.voucher = .a
        (claim.price, claim.contribution) = (9_900, form == .privateTestHelp ? 500 : 0)
        claim.repairReason = "broken frame"
        claim.supervisedFrom = try day("2025-03-03")
        if form == .professionalDevelopment { claim.performedOn = try day("2025-12-31") }
        return claim
    }

    private func codes(_ claim: GOSClaim, today: String = "2026-03-16") throws -> [String] {
        let check = GOSCheck(
            today: try day(today), deadline: ClaimDeadline(rates: RateTable(try World().rates)))
        return try check.rejections(claim).map(\.code)
    }

    @Test("a sound claim on every form is accepted", arguments: GOSForm.allCases)
    func sound(form: GOSForm) throws {
        #expect(
            try codes(try sound(form), today: form == .professionalDevelopment ? "2026-08-01" : "2026-03-16")
                == [])
    }

    private typealias Fault = (form: GOSForm, code: String, change: @Sendable (inout GOSClaim) -> Void)

    @Test("every cause of rejection has its code, and only that")
    func rejections() throws {
        let tomorrow = try day("2026-03-17")
        let adult = try day("2009-03-02")
        let child = try day("2010-03-03")
        let faults: [Fault] = [
            (.sightTest, "GOS01", { $0.lastTestOn = nil }), (.domiciliary, "GOS01", { $0.lastTestOn = nil }),
            (.sightTest, "GOS02", { $0.performerSignedOn = nil }),
            (.sightTest, "GOS02", { $0.performerSignedOn = tomorrow }),
            (.sightTest, "GOS03", { $0.contractorSignedOn = nil }),
            (.voucher, "GOS04", { $0.patientSignedOn = nil }), (.voucher, "GOS05", { $0.prescribedOn = nil }),
            (.voucher, "GOS05", { $0.prescribedOn = tomorrow }), (.voucher, "GOS06", { $0.price = 0 }),
            (.repair, "GOS06", { $0.voucher = nil }), (.voucher, "GOS06", { $0.tints = 3 }),
            (.voucher, "GOS06", { $0.contribution = 100 }), (.sightTest, "GOS07", { $0.born = child }),
            (.sightTest, "GOS08", { $0.performer = "X-1" }), (.sightTest, "GOS08", { $0.performer = "" }),
            (.sightTest, "GOS09", { $0.performedOn = CalendarDate(year: 2025, month: 12, day: 15) }),
            (.sightTest, "GOS10", { $0.performedOn = tomorrow }),
            (.preRegistration, "GOS10", { $0.supervisedFrom = nil }),
            (.sightTest, "GOS11", { $0.surname = "" }),
            (.sightTest, "GOS11", { $0.nhsNumber = "9434765918" }),
            (.voucher, "GOS12", { $0.right = nil }), (.voucher, "GOS12", { $0.right?.sphere = 110 }),
            (.voucher, "GOS13", { $0.voucher = .b }), (.voucher, "GOS14", { $0.eligibility = .complexLens }),
            (.sightTest, "GOS19", { $0.reference = "" }), (.sightTest, "GOS20", { $0.isOnPaper = true }),
            (.privateTestHelp, "GOS21", { $0.price = 0 }), (.sightTest, "GOS22", { $0.eligibility = nil }),
            (.sightTest, "GOS22", { $0.eligibility = .under16 }),
            (.repair, "GOS23", { $0.repairReason = "" }),
            (.professionalDevelopment, "GOS24", { _ in }), (.sightTest, "GOS25", { $0.form = nil }),
        ]
        for (form, code, change) in faults {
            var claim = try sound(form)
            change(&claim)
            #expect(try codes(claim) == [code], "\(form) \(code)")
        }
        var grown = try sound(.sightTest)
        grown.born = adult
        #expect(try codes(grown) == [])
        var never = try sound(.sightTest)
        (never.lastTestOn, never.neverTested) = (nil, true)
        #expect(try codes(never) == [])
    }

    @Test("codes are unique, stable and said in words")
    func catalogue() {
        #expect(Set(GOSRejection.allCases.map(\.code)).count == GOSRejection.allCases.count)
        for rejection in GOSRejection.allCases {
            #expect(GOSRejection(code: rejection.code) == rejection)
            #expect(rejection.message.count > 20)
        }
    }

    @Test("48 hours for two patients, three weeks for three")
    func notice() throws {
        let contractor = try #require(ODSCode("TP001"))
        func visit(_ patients: Int64) throws -> VisitStore.Visit {
            .init(
                contractor: contractor, reference: "V", address: "A", postcode: "B",
                on: try day("2026-06-10"),
                startsAt: 600, patients: patients)
        }
        // 10:00 in British Summer Time is 09:00 UTC.
        let start = Int64(try day("2026-06-10").daysSince1970) * 86_400 + 9 * 3_600
        let limit = Instant(microsecondsSince1970: (start - 48 * 3_600) * 1_000_000)
        let after = Instant(microsecondsSince1970: limit.microsecondsSince1970 + 1)
        let rules = try VisitRules(RateTable(try World().rates), on: try day("2026-06-10"))
        #expect(rules.mostChanges == 3)
        #expect(rules.isInTime(try visit(2), patients: 2, at: limit))
        #expect(!rules.isInTime(try visit(2), patients: 2, at: after))
        #expect(!rules.isInTime(try visit(2), patients: 3, at: limit))
        let weeks = LondonTime.end(of: try day("2026-05-20"))
        #expect(
            rules.isInTime(
                try visit(3), patients: 3,
                at: Instant(microsecondsSince1970: weeks.microsecondsSince1970 - 1)))
        #expect(!rules.isInTime(try visit(3), patients: 3, at: weeks))
    }

    @Test("totals survive their encoding")
    func totals() throws {
        var totals = GOSTotals()
        totals.add(GOSEntitlement.of(try sound(.domiciliary), place: 3))
        totals.add(GOSEntitlement.of(try sound(.privateTestHelp), place: 0), count: 2)
        totals.add(GOSEntitlement.of(try sound(.voucher), place: 0).map(\.recovered), count: -1)
        #expect(try GOSTotals(totals.encoded()).counts == totals.counts)
        #expect(throws: PaymentsError.self) { try GOSTotals([3, 9]) }
    }

    @Test(
        "E14: 142 tests, 26 vouchers, the levy of 0.5 % on the tests: net 4,856.39, and every line explains itself"
    )
    func opticalMonth() throws {
        let world = try World()
        let payee = try #require(ODSCode("TP001"))
        let tested = try day("2025-05-06")
        var totals = GOSTotals()
        totals.add([GOSEntitlement(form: .sightTest, fee: .sightTest, day: tested)], count: 142)
        for (fee, count) in [(GOSFee.voucherA, 20), (.voucherE, 5), (.voucherH, 1)] as [(GOSFee, Int64)] {
            totals.add(
                [GOSEntitlement(form: .voucher, fee: fee, day: tested, ceiling: 30_000)], count: count)
        }
        let committee = try #require(ODSCode("LOCTEES"))
        let from = try day("2025-04-01")
        var book = LevyBook()
        book.add(
            LevyCommittee(
                code: committee, name: "LOC", payee: committee, isRunByCommissioner: false, collection: .eachMonth,
                commissioner: payee, from: from, family: .optical))
        book.add(
            LevyRate(pence: ExactDecimal(mantissa: 5, scale: 1), period: .sightTestFees, from: from, version: 1),
            LevyBook.RateKey(committee: committee, kind: .optical))
        book.add(
            LevyMembership(
                committee: committee, family: .optical, hasMandate: false, isVoluntary: false, from: from), of: payee)
        let may = try month("2025-05")
        let source = OphthalmicLines(totals: [may: [payee: totals]], rates: RateTable(world.rates), book: book)
        let lines = try source.lines(for: payee, in: may)
        let paidOver = try source.lines(for: committee, in: may)
        #expect(shown(paidOver) == ["LMCP 17.13"])
        for line in paidOver { #expect(try line.explanation.replay() == Money(pence: line.pence)) }
        #expect(
            shown(lines) == ["GOS1 3426.46", "GOS3 848.00", "GOS3 365.50", "GOS3 233.56", "LOCL -17.13"])
        #expect(try net(lines) == "4856.39")
        for line in lines { #expect(try line.explanation.replay() == Money(pence: line.pence)) }
        #expect(lines.prefix(4).map(\.quantity) == [142, 20, 5, 1].map { ExactDecimal($0) })
    }

    @Test("a voucher pays the price at most, less the patient's share; a private test the NHS fee at most")
    func values() throws {
        let day = try day("2025-05-06")
        func amount(_ ceiling: Int64?, _ less: Int64) -> Int64 {
            GOSEntitlement(form: .voucher, fee: .voucherA, day: day, ceiling: ceiling, less: less)
                .amount(ratePence: 4_240)
        }
        #expect(amount(nil, 0) == 4_240)
        #expect(amount(4_000, 0) == 4_000)
        #expect(amount(9_900, 500) == 3_740)
        #expect(amount(4_000, 5_000) == 0)
    }
}
