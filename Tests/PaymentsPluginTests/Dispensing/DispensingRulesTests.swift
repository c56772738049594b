import Accounting
import Testing

@testable import PaymentsPlugin

@Suite("Dispensing by its scales (payments.md 9.4)")
struct DispensingRulesTests {
    private func rules(marginal: Bool = false) throws -> DispensingRules {
        let read = DispensingBandFile.read(PackageResources.dispensing_bands_csv)
        #expect(read.violations.listed == [])
        var world = try World()
        if marginal { try world.rate(.dispensingBandMarginal, "1", from: "2025-04-01", to: "2026-04-01") }
        return DispensingRules(bands: DispensingBands(read.rows), rates: RateTable(world.rates))
    }

    private func data(
        _ text: String = "2025-04", _ kind: DispensingData.Kind = .dispensing, prescriptions: Int64 = 0,
        practitioners: Int64 = 1, price: String = "0", vat: String = "0", charges: String = "0"
    ) throws -> DispensingData {
        DispensingData(
            practice: try practice("A81001"), month: try month(text), kind: kind,
            prescriptions: prescriptions,
            practitioners: practitioners, basicPricePence: try pence(price), vatBasePence: try pence(vat),
            chargesPence: try pence(charges))
    }

    private func lines(_ data: DispensingData, marginal: Bool = false) throws -> [PaymentLine] {
        let lines = try rules(marginal: marginal).lines(data, paidIn: data.month.adding(months: 3))
        for line in lines { #expect(try line.explanation.replay().pence == line.pence) }
        return lines
    }

    @Test("E13: 1,200 prescriptions of one practitioner at 212.8p, and 8.68 % off a basic price of 9,500.00")
    func e13() throws {
        let found = try lines(try data(prescriptions: 1_200, price: "9500.00"))
        #expect(shown(found) == ["RDRG 9500.00", "RDIS -824.60", "RFEE 2553.60"])
        #expect(try net(Array(found.prefix(2))) == "8675.40")
        #expect(found[1].rate.description == "-8.68" && found[1].basis == "PERCENT_OF_PRICE")
        #expect(found[2].quantity == ExactDecimal(1_200) && found[2].rate.description == "2.128")
        #expect(
            found.allSatisfy {
                $0.month.description == "2025-07" && $0.periodFrom.description == "2025-04-01"
            })
    }

    @Test("E13 compared: slice by slice the fees are 2,673.69")
    func e13Marginal() throws {
        let found = try lines(try data(prescriptions: 1_200), marginal: true)
        #expect(shown(found) == ["RFEE 2673.69"])
        #expect(found[0].basis == "SUM_OF_BANDS" && found[0].rate.description == "2673.691000")
    }

    @Test("a partnership's total is divided by its practitioners before the band is found, and priced whole")
    func partnership() throws {
        // 400 each lies in the first band; 1,200 together in the seventh.
        #expect(shown(try lines(try data(prescriptions: 1_200, practitioners: 3))) == ["RFEE 2748.00"])
        // 2,666.67 pounds each: 5.93 %.
        let priced = try lines(try data(practitioners: 3, price: "8000.00"))
        #expect(shown(priced) == ["RDRG 8000.00", "RDIS -474.40"])
        // Slices of 472, 119 and 9 for each of two.
        let slices = try lines(try data(prescriptions: 1_200, practitioners: 2), marginal: true)
        #expect(shown(slices) == ["RFEE 2739.03"])
    }

    @Test(
        "a practice that only administers drugs: its own scale, VAT of 20 % on what bears it, charges taken off"
    )
    func prescribing() throws {
        let found = try lines(
            try data(
                "2025-10", .prescribing, prescriptions: 500, price: "1000.00", vat: "600.05", charges: "49.50"
            ))
        #expect(
            shown(found) == ["RDRG 1000.00", "RDIS -31.70", "PFEE 1223.50", "PVAT 120.01", "RXCH -49.50"])
        #expect(try net(found) == "2262.31")
    }

    @Test(
        "a total on the edge of a band is of that band, the next one of the next",
        arguments: [
            (472, "1080.88"), (473, "1067.56"), (4_726, "9622.14"), (4_727, "9586.36"), (1, "2.29"),
        ] as [(Int64, String)])
    func edges(prescriptions: Int64, amount: String) throws {
        #expect(shown(try lines(try data(prescriptions: prescriptions))) == ["RFEE \(amount)"])
    }

    @Test("pence above a bound of pounds belong to the next band")
    func pennyAbove() throws {
        #expect(shown(try lines(try data(price: "2000.00"))) == ["RDRG 2000.00", "RDIS -63.40"])
        #expect(shown(try lines(try data(price: "2000.01"))) == ["RDRG 2000.01", "RDIS -118.60"])
    }

    @Test("a scale that is not set for the month is refused by name, also where only a band is not known")
    func missing() throws {
        let october = try data("2025-10", prescriptions: 1)
        #expect(
            throws: PaymentsError.figureMissing("dispensing bands DISPENSING_FEE", october.month.firstDay)
        ) {
            _ = try rules().lines(october, paidIn: october.month)
        }
        let text =
            DispensingBandFile.columns.joined(separator: ",")
            + "\nPRESCRIBING_FEE,2025-04-01,,1,100,,R,,\nPRESCRIBING_FEE,2025-04-01,,101,,200,P,S22,\n"
        let read = DispensingBandFile.read(Array(text.utf8))
        #expect(read.violations.listed == [])
        let parameter = DispensingRules(
            bands: DispensingBands(read.rows), rates: RateTable(try World().rates))
        let few = try data("2025-04", .prescribing, prescriptions: 100)
        #expect(throws: PaymentsError.self) { _ = try parameter.lines(few, paidIn: few.month) }
        let more = try data("2025-04", .prescribing, prescriptions: 101)
        #expect(shown(try parameter.lines(more, paidIn: more.month)) == ["PFEE 202.00"])
    }

    @Test("an edition recorded later holds for its days")
    func editions() throws {
        var read = DispensingBandFile.read(PackageResources.dispensing_bands_csv).rows
        let newer = DispensingBand(
            scale: .dispensingFee, from: try day("2025-07-01"), lower: 1, value: ExactDecimal(300),
            grade: "P",
            source: "test", note: "", version: 9)
        read.append(newer)
        let bands = DispensingBands(read)
        #expect(try bands.edition(.dispensingFee, at: day("2025-06-01")).count == 14)
        #expect(try bands.edition(.dispensingFee, at: day("2025-07-01")) == [newer])
    }
}
