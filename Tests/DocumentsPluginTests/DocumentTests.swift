import CaseworkContract
import CommonContract
import DocumentsContract
import Foundation
import HostContract
import PluginAPI
import PluginTestKit
import Testing

@Suite("Documents")
struct DocumentTests {
    @Test("readers are those whom the area names; each list replaces the one before and stays as history")
    func readers() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            try await office.scan()
            #expect(try await office.read(document) == SampleFiles.pdf)
            for subject in [office.commissioner, office.otherPractice] {
                let failure = try await refusal { _ = try await office.read(document, as: subject) }
                #expect(failure.reason == HostReasons.notFound)
            }
            try await office.link(
                document, to: "claim-7", (.practiceClaimsAdmin, "C84101"), (.commissionerApprover, "02Q"))
            #expect(try await office.read(document, as: office.commissioner) == SampleFiles.pdf)
            #expect(try await office.read(document) == SampleFiles.pdf)
            try await office.link(document, to: "claim-7", (.commissionerApprover, "02Q"))
            let gone = try await refusal { _ = try await office.read(document) }
            #expect(gone.reason == HostReasons.notFound)
            let known = try await office.documents(office.auditor).getDocument(
                .with { $0.documentID = document })
            #expect(known.record == DocumentsOffice.claim("claim-7"))
            #expect(known.readers.map(\.organisationCode) == ["02Q"])
            #expect(known.earlierReaders.map { $0.readers.map(\.organisationCode) } == [["C84101", "02Q"]])
            #expect(known.earlierReaders.first?.statedBy == "payments")
            let listed = try await office.documents(office.commissioner).listDocuments(
                .with { $0.record = DocumentsOffice.claim("claim-7") })
            #expect(listed.documents.map(\.documentID) == [document])
            let hidden = try await office.documents(office.otherPractice).listDocuments(
                .with { $0.record = DocumentsOffice.claim("claim-7") })
            #expect(hidden.documents.isEmpty)
        }
    }

    @Test("an area cannot speak for records of another")
    func foreignLink() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            try await office.scan()
            try await office.link(document, to: "claim-7", from: "supplies", (.practiceClaimsAdmin, "B81101"))
            let failure = try await refusal { _ = try await office.read(document, as: office.otherPractice) }
            #expect(failure.reason == HostReasons.notFound)
            #expect(try await office.read(document) == SampleFiles.pdf)
        }
    }

    @Test("before the scan nobody reads, an infected document nobody ever, and its uploader is told")
    func infected() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            let early = try await refusal { _ = try await office.read(document) }
            #expect(early.reason == DocumentsReasons.notScanned)
            let infected = try await office.scan(.infected)
            #expect(infected.state == .infected)
            try await office.link(document, to: "claim-7", (.practiceClaimsAdmin, "C84101"))
            for subject in [office.practice, office.scanner, office.auditor, office.governor] {
                let failure = try await refusal { _ = try await office.read(document, as: subject) }
                #expect(
                    [DocumentsReasons.documentInfected, HostReasons.notFound, HostReasons.accessDenied]
                        .contains(failure.reason), "\(failure)")
            }
            let own = try await refusal { _ = try await office.read(document) }
            #expect(own.reason == DocumentsReasons.documentInfected)
            let published = try office.host.store(of: "documents").read {
                try $0.all(Statement("SELECT event_type FROM pcs_outbox ORDER BY sequence")) { $0.text(0) }
            }
            #expect(
                published == [
                    Pcs_Documents_V1_DocumentScanned.protoMessageName,
                    Pcs_Casework_V1_MessagePosted.protoMessageName,
                ])
        }
    }

    @Test("a scanner reads and reports only under its own claim, while it lasts")
    func scanClaims() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            let unclaimed = try await refusal { _ = try await office.read(document, as: office.scanner) }
            #expect(unclaimed.reason == HostReasons.notFound)
            let claim = try await office.scans().claimScan(.init())
            #expect(claim.documentID == document)
            #expect(claim.waiting == 1)
            #expect(try await office.scans().claimScan(.init()).claimID.isEmpty)
            #expect(try await office.read(document, as: office.scanner) == SampleFiles.pdf)
            let other = try await refusal {
                _ = try await office.scans().reportScan(
                    .with {
                        ($0.claimID, $0.verdict, $0.engine) = (claim.claimID, .clean, "engine")
                        $0.sha256 = DocumentsOffice.sha256([1])
                    })
            }
            #expect(other.reason == DocumentsReasons.digestWrong)
            try await office.host.advance(milliseconds: 11 * 60_000)
            let late = try await refusal {
                _ = try await office.scans().reportScan(
                    .with {
                        ($0.claimID, $0.verdict, $0.engine) = (claim.claimID, .clean, "engine")
                        $0.sha256 = claim.sha256
                    })
            }
            #expect(late.reason == DocumentsReasons.scanClaimEnded)
            #expect(try await office.scan().documentID == document)
        }
    }

    @Test("every read is in the host's audit chain")
    func readsAreRecorded() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            try await office.scan()
            _ = try await office.read(document)
            let rows = try office.host.store(of: "host").read {
                try $0.all(
                    Statement("SELECT person_id FROM pcs_audit WHERE method = ?1"),
                    [.text("pcs.documents.v1.DocumentService/ReadDocument")]
                ) { $0.text(0) }
            }
            #expect(rows == ["petra"])
        }
    }

    @Test("a document is destroyed by two people, after its time, with no hold on it")
    func destruction() async throws {
        try await DocumentsOffice.with { office in
            let document = try await office.upload(SampleFiles.pdf).documentID
            try await office.scan()
            let until = try #require(CalendarDate(year: 2026, month: 3, day: 20))
            try await office.link(document, to: "claim-7", until: until, (.practiceClaimsAdmin, "C84101"))
            func propose() async throws -> Pcs_Documents_V1_Destruction {
                try await office.retention().proposeDestruction(
                    .with { ($0.documentIds, $0.reason) = ([document], "time has passed") })
            }
            let early = try await refusal { _ = try await propose() }
            #expect(early.reason == DocumentsReasons.retentionRuns)
            try await office.host.advance(days: 4)
            _ = try await office.retention().placeHold(
                .with { ($0.documentID, $0.reason) = (document, "fraud inquiry 12") })
            #expect(try await office.retention().listDestroyable(.init()).documents.isEmpty)
            let held = try await refusal { _ = try await propose() }
            #expect(held.violations.map(\.rule) == ["hold"])
            let lift = Pcs_Documents_V1_LiftHoldRequest.with {
                ($0.documentID, $0.reason) = (document, "inquiry closed")
            }
            let alone = try await refusal { _ = try await office.retention().liftHold(lift) }
            #expect(alone.reason == HostReasons.secondPersonRequired)
            _ = try await office.retention(office.secondGovernor).liftHold(lift)
            let proposal = try await propose()
            let decide = Pcs_Documents_V1_DecideDestructionRequest.with {
                ($0.destructionID, $0.approve, $0.reason) = (proposal.destructionID, true, "agreed")
            }
            let same = try await refusal { _ = try await office.retention().decideDestruction(decide) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            #expect(try await office.read(document) == SampleFiles.pdf)
            let done = try await office.retention(office.secondGovernor).decideDestruction(decide)
            #expect(done.state == .done)
            let gone = try await refusal { _ = try await office.read(document) }
            #expect(gone.reason == DocumentsReasons.documentGone)
            let known = try await office.documents().getDocument(.with { $0.documentID = document })
            #expect(known.state == .destroyed)
            #expect(known.sha256 == DocumentsOffice.sha256(SampleFiles.pdf))
        }
    }

    @Test("the rules change by two editors, and a faulty table changes nothing")
    func rules() async throws {
        try await DocumentsOffice.with { office in
            let faulty = try await refusal {
                _ = try await office.rules().proposeRules(
                    .with {
                        ($0.table, $0.fileName, $0.reason) = (.settings, "settings.csv", "test of faults")
                        $0.data = Data("name,value,source\nunscanned_readable,2,x\nnothing,1,\n".utf8)
                    })
            }
            #expect(faulty.reason == HostReasons.fileInvalid)
            #expect(faulty.violationCount == 9)
            let header =
                "kind,title,maximum_bytes,maximum_per_record,file_types,retention_years,patient_identifiers_checked,"
                + "source\n"
            let set = try await office.rules().proposeRules(
                .with {
                    ($0.table, $0.fileName, $0.reason) = (.kinds, "kinds.csv", "smaller files")
                    $0.data = Data((header + "claim_evidence,Evidence,100,1,PDF,8,N,test\n").utf8)
                })
            let approve = Pcs_Documents_V1_DecideRulesRequest.with {
                ($0.setID, $0.approve, $0.reason) = (set.setID, true, "agreed")
            }
            let same = try await refusal { _ = try await office.rules().decideRules(approve) }
            #expect(same.reason == HostReasons.secondPersonRequired)
            _ = try await office.start(size: 200)
            _ = try await office.rules(office.secondEditor).decideRules(approve)
            let refused = try await refusal { _ = try await office.start(size: 200) }
            #expect(refused.reason == DocumentsReasons.uploadTooLarge)
            let limits = try await office.uploads().getUploadLimits(.init())
            #expect(limits.kinds.map(\.kind) == ["claim_evidence"])
            #expect(limits.unscannedReadable == false)
        }
    }
}
