import CommonContract
import HostContract
import PluginAPI
import SwiftProtobuf

/// Serves `pcs.host.v1.JobService`.
struct JobServiceHandler: Pcs_Host_V1_JobService {
    let scheduler: JobScheduler

    func listJobs(_ request: Pcs_Host_V1_ListJobsRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_ListJobsResponse
    {
        var response = Pcs_Host_V1_ListJobsResponse()
        response.jobs = await scheduler.reports().map { report in
            var job = Pcs_Host_V1_Job()
            job.plugin = report.plugin
            job.name = report.name
            job.schedule = report.schedule
            if let last = report.lastRun { job.lastRun = Google_Protobuf_Timestamp(last) }
            job.lastOutcome = report.lastOutcome
            if let next = report.nextRun { job.nextRun = Google_Protobuf_Timestamp(next) }
            return job
        }
        return response
    }

    func runJob(_ request: Pcs_Host_V1_RunJobRequest, _ call: CallContext) async throws
        -> Pcs_Host_V1_RunJobResponse
    {
        let outcome = try await scheduler.run(plugin: request.plugin, name: request.name)
        return try await call.commit { transaction in
            transaction.audit(AuditNote(object: "job/\(request.plugin)/\(request.name)", detail: outcome))
            var response = Pcs_Host_V1_RunJobResponse()
            response.outcome = outcome
            return response
        }
    }
}
