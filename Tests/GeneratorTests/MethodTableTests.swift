import CommonContract
import HostContract
import PaymentsContract
import PluginAPI
import SwiftProtobuf
import Testing

@Suite("the generated tables")
struct MethodTableTests {
    static let areas: [(methods: [MethodDescriptor], descriptorSet: [UInt8])] = [
        (HostContractDescriptors.methods, HostContractDescriptors.fileDescriptorSet),
        (PaymentsContractDescriptors.methods, PaymentsContractDescriptors.fileDescriptorSet),
    ]

    static let methods = areas.flatMap(\.methods)

    @Test("let nobody in by default", arguments: methods)
    func everyMethodHasARule(_ method: MethodDescriptor) {
        let access = method.access
        #expect([access.isAnonymous, access.anyCaller, !access.allow.isEmpty].count { $0 } == 1)
        for allow in access.allow {
            #expect(Roles.all.contains(allow.role))
            #expect(allow.organisationField.isEmpty == [.national, .acting].contains(allow.relation))
            #expect(allow.relation != .icb || !access.changesState)
        }
        #expect(!access.changesState || access.audit == .change)
        #expect((1...600_000).contains(access.timeLimitMilliseconds))
        #expect(access.maximumRequestBytes > 0)
    }

    @Test("are anonymous only where identity begins, and for the liveness check")
    func anonymousMethods() {
        let anonymous = Self.methods.filter(\.access.isAnonymous).map {
            $0.path.replacing("pcs.host.v1.", with: "")
        }
        #expect(
            anonymous.sorted() == [
                "AccountService/AcceptInvitation", "AccountService/AcceptSecondFactorReset",
                "AccountService/CompletePasswordReset", "AccountService/ConfirmSecondFactor",
                "AccountService/LogIn", "AccountService/RequestPasswordReset", "HealthService/Check",
                "IdentityService/IssueToken", "OrganisationRegistrationService/RedeemCode",
            ])
    }

    @Test("name each method of the descriptor set once, with its messages and its shape")
    func tablesFollowDescriptors() throws {
        for area in Self.areas {
            let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: area.descriptorSet)
            var declared: [String: (Google_Protobuf_MethodDescriptorProto)] = [:]
            for file in set.file {
                #expect(!file.hasSourceCodeInfo)
                for service in file.service {
                    for method in service.method {
                        declared["\(file.package).\(service.name)/\(method.name)"] = method
                    }
                }
            }
            #expect(Set(declared.keys) == Set(area.methods.map(\.path)))
            #expect(declared.count == area.methods.count)
            for method in area.methods {
                let proto = try #require(declared[method.path])
                #expect(proto.inputType == "." + method.requestType)
                #expect(proto.outputType == "." + method.replyType)
                #expect(proto.clientStreaming == (method.kind == .clientStreaming))
                #expect(proto.serverStreaming == (method.kind == .serverStreaming))
            }
        }
    }

    @Test("give descriptor sets that hold all that they import, imports first")
    func descriptorSetsAreWhole() throws {
        for area in Self.areas {
            let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: area.descriptorSet)
            var seen: Set<String> = []
            for file in set.file {
                #expect(seen.isSuperset(of: file.dependency))
                #expect(seen.insert(file.name).inserted)
            }
        }
    }

    @Test("keep the access rules in the descriptor set")
    func descriptorSetsCarryRules() throws {
        let set = try Google_Protobuf_FileDescriptorSet(
            serializedBytes: HostContractDescriptors.fileDescriptorSet,
            extensions: Pcs_Access_V1_Access_Extensions)
        let services = set.file.flatMap(\.service)
        let rule = services.first { $0.name == "BackupService" }?.method.first { $0.name == "RestoreBackup" }?
            .options.Pcs_Access_V1_access
        #expect(rule?.changesState == true)
        #expect(rule?.allow.map(\.role) == [.hostOperator])
    }

    @Test("name every role of the catalogue once")
    func roles() throws {
        let set = try Google_Protobuf_FileDescriptorSet(
            serializedBytes: HostContractDescriptors.fileDescriptorSet)
        let catalogue = set.file.filter { $0.package == "pcs.access.v1" }.flatMap(\.enumType).first {
            $0.name == "Role"
        }
        let names = try #require(catalogue).value.filter { $0.number != 0 }.map(\.name)
        #expect(names == Roles.all.map { "ROLE_" + $0.name })
        #expect(Set(Roles.all).count == Pcs_Access_V1_Role.allCases.count - 1)
    }

    @Test("give every reason a name of its own over all areas")
    func reasons() {
        let names = (HostReasons.all + PaymentsReasons.all).map(\.name)
        #expect(Set(names).count == names.count)
        #expect(HostReasons.accessDenied == HostReasons.all.first { $0.name == "ACCESS_DENIED" })
        #expect(HostReasons.accessDenied.code == .permissionDenied)
    }
}
