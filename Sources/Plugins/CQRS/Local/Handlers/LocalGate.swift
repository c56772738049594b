import CommonContract
import CqrsContract
import PluginAPI

/// Who may act as a commissioner of local services, and which figures hold.
struct LocalGate {
    let context: PluginContext
    let today: CalendarDate

    /// S2: the ICB level only while the switch is on; the refusal says who acts instead (R16).
    @discardableResult
    func commissioner(_ code: String, _ figures: NationalFigures) throws -> ODSCode {
        guard let commissioner = ODSCode(code),
            let body = context.organisations.organisation(commissioner, at: today)
        else { throw Failure.field("commissioner_code", "10.1", "There is no such commissioner.") }
        switch body.kind {
        case .subICBLocation, .region: return commissioner
        case .icb:
            guard figures.optionalFigure("icb_may_commission_local", "", on: today)?.value.mantissa ?? 0 > 0
            else {
                throw Failure(
                    CqrsReasons.icbMayNotAct,
                    "Local services are commissioned by the Sub ICB Location: this requires a role there, not at the ICB."
                )
            }
            return commissioner
        default:
            throw Failure.field(
                "commissioner_code", "10.1", "The organisation commissions no local services.")
        }
    }

    static func figures(_ reader: any Reader) throws -> NationalFigures {
        NationalFigures(try ReferenceStore.constants(reader))
    }

    /// 10.2, in pence.
    static func band(_ pence: Int64, _ scheme: LocalScheme, _ figures: NationalFigures, on day: CalendarDate)
        throws
        -> LocalRiskBand
    {
        func bound(_ own: ExactDecimal?, _ name: String) throws -> Int64 {
            let value = try own ?? refusingCQRS { try figures.figure(name, "", on: day).value }
            guard let pence = value.scaled(to: 2) else {
                throw CQRSError.damaged("bound of the risk bands").failure
            }
            return pence
        }
        return LocalRiskBand(
            pence: pence, mediumFrom: try bound(scheme.mediumFrom, "local_band_medium_from_pounds"),
            highFrom: try bound(scheme.highFrom, "local_band_high_from_pounds"))
    }
}
