import CommonContract
import FrameProtocol
import PluginAPI
import SwiftProtobuf

extension Failure {
    static let detailTypeName = "pcs.common.v1.FailureDetail"

    /// The failure that a Reply with a code other than OK carries. Its reason's name, next step, violations
    /// and correlation id come from the FailureDetail; without one it is named by the number of its code.
    init(_ reply: ReplyFrame, status: FrameStatus?, bytes: UnsafeRawBufferPointer) {
        let code = StatusCode(rawValue: reply.code) ?? .unknown
        let message = bytes.string(reply.message)
        let packed = status?.details.first { $0.typeURL.hasSuffix("/" + Failure.detailTypeName) }
        let detail = packed.flatMap { try? Pcs_Common_V1_FailureDetail(serializedBytes: $0.value) }
        let reason = Reason(
            name: detail?.reason ?? "STATUS_\(reply.code)", code: code, summary: message,
            nextStep: detail?.nextStep ?? "")
        let violations = (detail?.violations ?? []).map {
            Violation(
                field: $0.field, rule: $0.rule, message: $0.message, row: Int($0.row), column: Int($0.column))
        }
        let count = max(violations.count, detail.map { Int(clamping: $0.violationCount) } ?? 0)
        self.init(
            reason, message, violations: violations, violationCount: count,
            progress: Progress(rawValue: reply.progress))
        correlationID = detail?.correlationID
    }
}
