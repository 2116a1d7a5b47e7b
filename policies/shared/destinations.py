"""Where data goes: each type with a destination, the path of it and what stands there.

A path leads through lists by `*`. What kind of name it is:

- url, host, address: an address on the web, or one of the network
- public url: the same, for what Google calls from outside of the network
- endpoint, proxy: a URL or a host with a port that a program sends to, also within its cluster
- bucket: a bucket by name, by gs:// or by its full name
- template: a template of Dataflow in a bucket, which may be Google's
- key: a key of Cloud KMS, by its full name
- image: a container image, by the project of its repository
- disk image: an image, a snapshot or a machine image that machines start from
- mirror: a second backend that gets a copy of each request
- name: a full resource name, or a short one of the own project
- project: a project; every resource is in one
- table: a table or dataset of BigQuery, with its project
- sink: the destination of a log sink
- sql: a query, which may export
- registry: where an image or package comes from
- chart: a chart of Helm, in a registry where it has an address
- repository: where code or objects come from that are deployed
- manifest: the same, or a file of the program
- email: who is told
- everything: a list of places that may not take in all
- outside: a place outside Google Cloud, by being there
- output: any of these, by its form
- script: a program, by the addresses that it names

Bare topics, buckets and tables that are read are no destinations.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from policies.shared.programs import called, exported, has_programs, settings
from resources.kubernetes import kind_of, objects
from resources.pods import changes_pods, pod_specs
from resources.properties import (
    Props,
    all_at,
    elements,
    get,
    search,
    text,
)
from resources.resource import Resource

Row = tuple[str, str]
_FEED: Final[tuple[Row, ...]] = (("feedOutputConfig.pubsubDestination.topic", "name"),)
_SINK: Final[tuple[Row, ...]] = (("destination", "sink"),)
_TOPIC: Final[tuple[Row, ...]] = (("pubsubTopic", "name"),)
_EXPORT: Final[tuple[Row, ...]] = (("dataset", "name"),)
# It is of the project of the network that it joins, which net-ways-out judges.
_SPOKE: Final = "gcp:networkconnectivity/spoke:Spoke"
_PROVIDER: Final = "pulumi:providers:gcp"
_KEY: Final = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+")
_GRANTED: Final = ("view.projectId", "routine.projectId")
_S: Final = "gcp:securitycenter/"
_NOTICES: Final = ("NotificationConfig", "FolderNotificationConfig", "ProjectNotificationConfig")
_NOTICES_V2: Final = ("Folder", "Organization", "Project")
_MIRROR: Final = "requestMirrorPolicy.backendService"
_HOSTS: Final = "defaultUrlRedirect.hostRedirect"
# Where a URL map chooses a backend, and where it sends clients away.
_URL_MAP: Final[tuple[Row, ...]] = (
    *(
        (f"{place}{action}.{_MIRROR}", "name")
        for place, action in (
            ("", "defaultRouteAction"),
            ("pathMatchers.*.", "defaultRouteAction"),
            ("pathMatchers.*.pathRules.*.", "routeAction"),
            ("pathMatchers.*.routeRules.*.", "routeAction"),
        )
    ),
    ("defaultService", "name"),
    ("pathMatchers.*.defaultService", "name"),
    ("pathMatchers.*.pathRules.*.service", "name"),
    ("pathMatchers.*.routeRules.*.service", "name"),
    (_HOSTS, "host"),
    (f"pathMatchers.*.{_HOSTS}", "host"),
    ("pathMatchers.*.pathRules.*.urlRedirect.hostRedirect", "host"),
    ("pathMatchers.*.routeRules.*.urlRedirect.hostRedirect", "host"),
)
_NAMES: Final[tuple[Row, ...]] = (("match.destFqdns.*", "host"),)
_ENDPOINT: Final[tuple[Row, ...]] = (("fqdn", "host"), ("ipAddress", "address"))
# What Google's templates of Dataflow call the places they write to.
_PARAMETERS: Final = (
    *("bigQueryLoadingTemporaryDirectory", "gcsOutputDirectory", "output", "outputDeadletterTable"),
    *("outputDirectory", "outputFilenamePrefix", "outputTable", "outputTableSpec", "outputTopic"),
    *("stagingLocation", "tempLocation", "url"),
)
_DATAFLOW: Final[tuple[Row, ...]] = tuple((f"parameters.{each}", "output") for each in _PARAMETERS)
_OUTSIDE: Final = ("awsKinesis", "awsMsk", "azureEventHubs", "confluentCloud")
_UPSTREAMS: Final = ("dockerRepository", "mavenRepository", "npmRepository", "pythonRepository")


# Config Sync, as an object of the cluster and as a feature of the fleet.
_SYNC: Final[tuple[Row, ...]] = (
    ("spec.git.repo", "repository"),
    ("spec.helm.repo", "repository"),
    ("spec.oci.image", "repository"),
)


def _synced(place: str) -> tuple[Row, ...]:
    return (
        (f"{place}.configSync.git.syncRepo", "repository"),
        (f"{place}.configSync.oci.syncRepo", "repository"),
    )


_SUBSCRIPTION: Final[tuple[Row, ...]] = (
    ("bigqueryConfig.table", "table"),
    ("cloudStorageConfig.bucket", "bucket"),
    ("deadLetterPolicy.deadLetterTopic", "name"),
    ("pushConfig.pushEndpoint", "public url"),
)
_BOOTS: Final[tuple[Row, ...]] = (
    ("disks.*.sourceImage", "disk image"),
    ("disks.*.sourceSnapshot", "disk image"),
)
_DISK: Final[tuple[Row, ...]] = (("image", "disk image"), ("snapshot", "disk image"))
# What a routine in Spark loads.
_SPARK: Final = ("archiveUris", "fileUris", "jarUris", "pyFileUris")


def _mounted(place: str) -> tuple[Row, ...]:
    return (
        (f"{place}.volumes.*.gcs.bucket", "bucket"),
        (f"{place}.volumes.*.nfs.server", "address"),
    )


def _upstreams() -> tuple[Row, ...]:
    return (
        *(
            (f"remoteRepositoryConfig.{each}.customRepository.uri", "registry")
            for each in _UPSTREAMS
        ),
        ("remoteRepositoryConfig.commonRepository.uri", "registry"),
        ("virtualRepositoryConfig.upstreamPolicies.*.repository", "name"),
    )


DESTINATIONS: Final[Mapping[str, tuple[Row, ...]]] = {
    "gcp:apigee/endpointAttachment:EndpointAttachment": (("serviceAttachment", "name"),),
    "gcp:apigee/targetServer:TargetServer": (("host", "host"),),
    "gcp:artifactregistry/repository:Repository": _upstreams(),
    "gcp:biglake/icebergCatalog:IcebergCatalog": (("name", "bucket"),),
    "gcp:bigquery/connection:Connection": (
        ("aws", "outside"),
        ("azure", "outside"),
        ("cloudSpanner.database", "name"),
        ("spark.metastoreServiceConfig.metastoreService", "name"),
        ("spark.sparkHistoryServerConfig.dataprocCluster", "name"),
    ),
    "gcp:bigquery/dataset:Dataset": (
        ("externalDatasetReference.externalSource", "outside"),
        *((f"accesses.*.{each}", "project") for each in _GRANTED),
        ("accesses.*.dataset.dataset.projectId", "project"),
    ),
    "gcp:bigquery/datasetAccess:DatasetAccess": (
        *((each, "project") for each in _GRANTED),
        ("authorizedDataset.dataset.projectId", "project"),
    ),
    "gcp:bigquery/dataTransferConfig:DataTransferConfig": (
        ("params.query", "sql"),
        ("params.destination_dataset", "name"),
        ("params.destination_project_id", "project"),
        ("notificationPubsubTopic", "name"),
    ),
    "gcp:bigquery/job:Job": (
        ("copy.destinationTable.projectId", "project"),
        ("copy.destinationTable.tableId", "name"),
        ("extract.destinationUris.*", "bucket"),
        ("load.destinationTable.projectId", "project"),
        ("load.destinationTable.tableId", "name"),
        ("query.destinationTable.projectId", "project"),
        ("query.destinationTable.tableId", "name"),
        ("query.query", "sql"),
    ),
    "gcp:bigquery/routine:Routine": (
        ("definitionBody", "sql"),
        ("externalRuntimeOptions.runtimeConnection", "name"),
        ("importedLibraries.*", "bucket"),
        ("remoteFunctionOptions.connection", "name"),
        ("remoteFunctionOptions.endpoint", "url"),
        *((f"sparkOptions.{each}.*", "bucket") for each in _SPARK),
        ("sparkOptions.connection", "name"),
        ("sparkOptions.containerImage", "image"),
        ("sparkOptions.mainFileUri", "bucket"),
    ),
    "gcp:bigquery/table:Table": (
        ("biglakeConfiguration.storageUri", "bucket"),
        ("externalDataConfiguration.sourceUris.*", "bucket"),
    ),
    "gcp:bigqueryanalyticshub/listing:Listing": (
        ("bigqueryDataset.dataset", "name"),
        ("pubsubTopic.topic", "name"),
    ),
    "gcp:bigqueryanalyticshub/dataExchangeSubscription:DataExchangeSubscription": (
        ("destinationDataset.datasetReference.projectId", "project"),
    ),
    "gcp:bigqueryanalyticshub/listingSubscription:ListingSubscription": (
        ("destinationDataset.datasetReference.projectId", "project"),
        *(
            (f"destinationPubsubSubscription.pubsubSubscription.{path}", kind)
            for path, kind in _SUBSCRIPTION
        ),
    ),
    "gcp:billing/budget:Budget": (("allUpdatesRule.pubsubTopic", "name"),),
    "gcp:binaryauthorization/attestor:Attestor": (
        ("attestationAuthorityNote.noteReference", "name"),
    ),
    "gcp:cloudasset/folderFeed:FolderFeed": _FEED,
    "gcp:cloudasset/organizationFeed:OrganizationFeed": _FEED,
    "gcp:cloudasset/projectFeed:ProjectFeed": _FEED,
    "gcp:cloudbuild/trigger:Trigger": (
        ("build.artifacts.objects.location", "bucket"),
        ("build.images.*", "image"),
        ("build.logsBucket", "bucket"),
    ),
    "gcp:cloudbuildv2/connection:Connection": (
        ("bitbucketDataCenterConfig.hostUri", "repository"),
        ("githubEnterpriseConfig.hostUri", "repository"),
        ("gitlabConfig.hostUri", "repository"),
    ),
    "gcp:cloudbuildv2/repository:Repository": (("remoteUri", "repository"),),
    "gcp:clouddeploy/target:Target": (
        ("executionConfigs.*.artifactStorage", "bucket"),
        ("gke.cluster", "name"),
        ("run.location", "name"),
    ),
    "gcp:cloudrunv2/job:Job": _mounted("template.template"),
    "gcp:cloudrunv2/service:Service": _mounted("template"),
    "gcp:cloudrunv2/workerPool:WorkerPool": _mounted("template"),
    "gcp:cloudscheduler/job:Job": (
        ("httpTarget.uri", "url"),
        ("pubsubTarget.topicName", "name"),
    ),
    "gcp:cloudtasks/queue:Queue": (("httpTarget.uriOverride.host", "host"),),
    "gcp:colab/notebookExecution:NotebookExecution": (("gcsOutputUri", "bucket"),),
    "gcp:colab/schedule:Schedule": (
        ("createNotebookExecutionJobRequest.notebookExecutionJob.gcsOutputUri", "bucket"),
    ),
    "gcp:composer/environment:Environment": (("storageConfig.bucket", "bucket"),),
    "gcp:compute/disk:Disk": _DISK,
    "gcp:compute/diskAsyncReplication:DiskAsyncReplication": (("secondaryDisk.disk", "name"),),
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule": _NAMES,
    "gcp:compute/forwardingRule:ForwardingRule": (("target", "name"),),
    "gcp:compute/globalNetworkEndpoint:GlobalNetworkEndpoint": _ENDPOINT,
    "gcp:compute/image:Image": (
        ("rawDisk.source", "bucket"),
        ("sourceDisk", "disk image"),
        ("sourceImage", "disk image"),
        ("sourceSnapshot", "disk image"),
    ),
    "gcp:compute/instance:Instance": (
        ("bootDisk.initializeParams.image", "disk image"),
        ("bootDisk.initializeParams.snapshot", "disk image"),
        ("bootDisk.source", "disk image"),
    ),
    "gcp:compute/instanceFromMachineImage:InstanceFromMachineImage": (
        ("sourceMachineImage", "disk image"),
    ),
    "gcp:compute/instanceTemplate:InstanceTemplate": _BOOTS,
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule": _NAMES,
    "gcp:compute/packetMirroring:PacketMirroring": (("collectorIlb.url", "name"),),
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate": _BOOTS,
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule": _NAMES,
    "gcp:compute/regionNetworkEndpoint:RegionNetworkEndpoint": _ENDPOINT,
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        ("pscTargetService", "name"),
    ),
    "gcp:compute/regionUrlMap:RegionUrlMap": _URL_MAP,
    "gcp:compute/uRLMap:URLMap": _URL_MAP,
    "gcp:container/cluster:Cluster": (("notificationConfig.pubsub.topic", "name"),),
    "gcp:databasemigrationservice/connectionProfile:ConnectionProfile": tuple(
        (f"{each}.host", "host") for each in ("mysql", "oracle", "postgresql")
    ),
    "gcp:databasemigrationservice/migrationJob:MigrationJob": (
        ("destination", "name"),
        ("source", "name"),
    ),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": (
        ("containerSpecGcsPath", "template"),
        ("stagingLocation", "bucket"),
        ("tempLocation", "bucket"),
        *_DATAFLOW,
    ),
    "gcp:dataflow/job:Job": (
        ("tempGcsLocation", "bucket"),
        ("templateGcsPath", "template"),
        *_DATAFLOW,
    ),
    "gcp:dataform/repository:Repository": (
        ("gitRemoteSettings.authenticationTokenSecretVersion", "name"),
        ("gitRemoteSettings.url", "repository"),
    ),
    "gcp:dataform/repositoryReleaseConfig:RepositoryReleaseConfig": (
        ("codeCompilationConfig.defaultDatabase", "project"),
    ),
    "gcp:dataform/repositoryWorkflowConfig:RepositoryWorkflowConfig": (("releaseConfig", "name"),),
    "gcp:datafusion/instance:Instance": (("eventPublishConfig.topic", "name"),),
    "gcp:dataloss/preventionDiscoveryConfig:PreventionDiscoveryConfig": (
        ("actions.*.exportData.profileTable.projectId", "project"),
        ("actions.*.pubSubNotification.topic", "name"),
    ),
    "gcp:dataloss/preventionJobTrigger:PreventionJobTrigger": (
        ("inspectJob.actions.*.deidentify.cloudStorageOutput", "bucket"),
        ("inspectJob.actions.*.pubSub.topic", "name"),
        ("inspectJob.actions.*.saveFindings.outputConfig.table.projectId", "project"),
    ),
    "gcp:dataplex/datascan:Datascan": (
        ("dataProfileSpec.postScanActions.bigqueryExport.resultsTable", "name"),
        ("dataQualitySpec.postScanActions.bigqueryExport.resultsTable", "name"),
    ),
    "gcp:dataplex/metadataFeed:MetadataFeed": _TOPIC,
    "gcp:dataproc/cluster:Cluster": (("clusterConfig.stagingBucket", "bucket"),),
    "gcp:dataproc/metastoreFederation:MetastoreFederation": (("backendMetastores.*.name", "name"),),
    "gcp:datastream/connectionProfile:ConnectionProfile": (
        ("forwardSshConnectivity.hostname", "host"),
        ("gcsProfile.bucket", "bucket"),
        *(
            (f"{each}Profile.hostname", "host")
            for each in ("mysql", "oracle", "postgresql", "sqlServer")
        ),
    ),
    "gcp:datastream/stream:Stream": (
        ("destinationConfig.bigqueryDestinationConfig.singleTargetDataset.datasetId", "table"),
        (
            "destinationConfig.bigqueryDestinationConfig.sourceHierarchyDatasets.projectId",
            "project",
        ),
        ("destinationConfig.destinationConnectionProfile", "name"),
    ),
    "gcp:developerconnect/connection:Connection": (
        ("bitbucketDataCenterConfig.hostUri", "repository"),
        ("githubEnterpriseConfig.hostUri", "repository"),
        ("gitlabEnterpriseConfig.hostUri", "repository"),
    ),
    "gcp:developerconnect/gitRepositoryLink:GitRepositoryLink": (("cloneUri", "repository"),),
    "gcp:diagflow/cxAgent:CxAgent": (("advancedSettings.audioExportGcsDestination.uri", "bucket"),),
    "gcp:diagflow/cxSecuritySettings:CxSecuritySettings": (
        ("audioExportSettings.gcsBucket", "bucket"),
    ),
    "gcp:diagflow/cxWebhook:CxWebhook": (
        ("genericWebService.uri", "url"),
        ("serviceDirectory.service", "name"),
    ),
    "gcp:diagflow/fulfillment:Fulfillment": (("genericWebService.uri", "url"),),
    "gcp:discoveryengine/dataConnector:DataConnector": (("params.instance_uri", "url"),),
    "gcp:essentialcontacts/contact:Contact": (("email", "email"),),
    "gcp:eventarc/channel:Channel": (("thirdPartyProvider", "name"),),
    "gcp:eventarc/enrollment:Enrollment": (("destination", "name"),),
    "gcp:eventarc/googleApiSource:GoogleApiSource": (("destination", "name"),),
    "gcp:eventarc/pipeline:Pipeline": (
        ("destinations.*.httpEndpoint.uri", "url"),
        ("destinations.*.messageBus", "name"),
        ("destinations.*.topic", "name"),
        ("destinations.*.workflow", "name"),
    ),
    "gcp:eventarc/trigger:Trigger": (
        ("destination.cloudRunService.service", "name"),
        ("destination.gke.cluster", "name"),
        ("destination.httpEndpoint.uri", "url"),
        ("destination.workflow", "name"),
    ),
    "gcp:filestore/instance:Instance": (("initialReplication.replicas.*.peerInstance", "name"),),
    "gcp:gkebackup/backupChannel:BackupChannel": (("destinationProject", "project"),),
    "gcp:gkebackup/restoreChannel:RestoreChannel": (("destinationProject", "project"),),
    "gcp:gkehub/feature:Feature": _synced("fleetDefaultMemberConfig.configmanagement"),
    "gcp:gkehub/featureMembership:FeatureMembership": _synced("configmanagement"),
    "gcp:healthcare/dicomStore:DicomStore": (("notificationConfig.pubsubTopic", "name"),),
    "gcp:healthcare/fhirStore:FhirStore": (
        ("notificationConfig.pubsubTopic", "name"),
        ("notificationConfigs.*.pubsubTopic", "name"),
        ("streamConfigs.*.bigqueryDestination.datasetUri", "table"),
    ),
    "gcp:healthcare/hl7Store:Hl7Store": (
        ("notificationConfig.pubsubTopic", "name"),
        ("notificationConfigs.*.pubsubTopic", "name"),
    ),
    "gcp:integrationconnectors/connection:Connection": (
        ("destinationConfigs.*.destinations.*.host", "host"),
    ),
    "gcp:kms/autokeyConfig:AutokeyConfig": (("keyProject", "project"),),
    "gcp:logging/billingAccountSink:BillingAccountSink": _SINK,
    "gcp:logging/folderSink:FolderSink": _SINK,
    "gcp:logging/linkedDataset:LinkedDataset": (("bucket", "name"), ("parent", "name")),
    "gcp:logging/organizationSink:OrganizationSink": _SINK,
    "gcp:logging/projectSink:ProjectSink": _SINK,
    "gcp:managedkafka/connector:Connector": (
        ("configs.bucketName", "bucket"),
        ("configs.cps.project", "project"),
        ("configs.gcs.bucket.name", "bucket"),
        ("configs.project", "project"),
        ("configs.target.cluster.bootstrap.servers", "host"),
    ),
    "gcp:monitoring/monitoredProject:MonitoredProject": (("metricsScope", "project"),),
    "gcp:monitoring/notificationChannel:NotificationChannel": (
        ("labels.email_address", "email"),
        ("labels.topic", "name"),
        ("labels.url", "url"),
    ),
    "gcp:netapp/volumeReplication:VolumeReplication": (
        ("destinationVolumeParameters.storagePool", "name"),
    ),
    "gcp:networksecurity/mirroringEndpointGroup:MirroringEndpointGroup": (
        ("mirroringDeploymentGroup", "name"),
    ),
    "gcp:networkservices/edgeCacheOrigin:EdgeCacheOrigin": (("originAddress", "output"),),
    "gcp:networkservices/wasmPlugin:WasmPlugin": (("versions.*.imageUri", "image"),),
    "gcp:pubsub/liteSubscription:LiteSubscription": (("topic", "name"),),
    "gcp:pubsub/subscription:Subscription": _SUBSCRIPTION,
    "gcp:pubsub/topic:Topic": (
        *((f"ingestionDataSourceSettings.{each}", "outside") for each in _OUTSIDE),
        ("ingestionDataSourceSettings.cloudStorage.bucket", "bucket"),
    ),
    "gcp:redis/cluster:Cluster": (
        ("crossClusterReplicationConfig.secondaryClusters.*.cluster", "name"),
    ),
    "gcp:secretmanager/regionalSecret:RegionalSecret": (("topics.*.name", "name"),),
    "gcp:secretmanager/secret:Secret": (("topics.*.name", "name"),),
    f"{_S}folderSccBigQueryExport:FolderSccBigQueryExport": _EXPORT,
    f"{_S}organizationSccBigQueryExport:OrganizationSccBigQueryExport": _EXPORT,
    f"{_S}projectSccBigQueryExport:ProjectSccBigQueryExport": _EXPORT,
    **{f"{_S}{each[0].lower()}{each[1:]}:{each}": _TOPIC for each in _NOTICES},
    **{f"{_S}v2{e}NotificationConfig:V2{e}NotificationConfig": _TOPIC for e in _NOTICES_V2},
    **{f"{_S}v2{e}SccBigQueryExport:V2{e}SccBigQueryExport": _EXPORT for e in _NOTICES_V2},
    "gcp:sourcerepo/repository:Repository": (("pubsubConfigs.*.topic", "name"),),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        ("settings.sqlServerAuditConfig.bucket", "bucket"),
    ),
    "gcp:storage/bucket:Bucket": (("logging.logBucket", "bucket"),),
    "gcp:storage/bucketObject:BucketObject": (("bucket", "bucket"),),
    "gcp:storage/insightsReportConfig:InsightsReportConfig": (
        ("objectMetadataReportOptions.storageDestinationOptions.bucket", "bucket"),
    ),
    "gcp:storage/notification:Notification": (("topic", "name"),),
    "gcp:storage/transferJob:TransferJob": (
        ("notificationConfig.pubsubTopic", "name"),
        ("replicationSpec.gcsDataSink.bucketName", "bucket"),
        ("transferSpec.gcsDataSink.bucketName", "bucket"),
        ("transferSpec.posixDataSink", "outside"),
    ),
    "gcp:transcoder/job:Job": (
        ("config.output.uri", "bucket"),
        ("config.pubsubDestination.topic", "name"),
    ),
    "gcp:transcoder/jobTemplate:JobTemplate": (
        ("config.output.uri", "bucket"),
        ("config.pubsubDestination.topic", "name"),
    ),
    "gcp:vertex/aiEndpoint:AiEndpoint": (
        ("predictRequestResponseLoggingConfig.bigqueryDestination.outputUri", "table"),
    ),
    "gcp:servicedirectory/endpoint:Endpoint": (("address", "address"),),
    "gcp:vertex/aiFeatureGroup:AiFeatureGroup": (("bigQuery.bigQuerySource.inputUri", "table"),),
    "gcp:vertex/aiIndex:AiIndex": (("metadata.contentsDeltaUri", "bucket"),),
    "gcp:workflows/workflow:Workflow": (("sourceContents", "script"),),
}
# Group and kind of Kubernetes, whichever the version.
_ROUTES: Final[tuple[Row, ...]] = (
    ("spec.rules.*.filters.*.requestMirror", "mirror"),
    ("spec.rules.*.filters.*.requestRedirect.hostname", "host"),
    ("spec.rules.*.backendRefs.*.filters.*.requestMirror", "mirror"),
)
_PROXIED: Final[tuple[Row, ...]] = (("spec.endpoints.*.proxyUrl", "proxy"),)
_FLUX: Final[tuple[Row, ...]] = (("spec.url", "repository"),)
_STORES: Final[tuple[Row, ...]] = (
    ("spec.provider.gcpsm.projectID", "project"),
    ("spec.provider.vault.server", "url"),
    ("spec.provider.webhook.url", "url"),
    *((f"spec.provider.{each}", "outside") for each in ("akeyless", "aws", "azurekv", "oracle")),
)
# Argo CD's applications, alone and in a set.
_APPLICATION: Final = (
    ("source.repoURL", "repository"),
    ("sources.*.repoURL", "repository"),
    ("destination.server", "url"),
)
_OUTPUTS: Final[tuple[Row, ...]] = (
    *((f"spec.{each}.host", "host") for each in ("es", "http", "loki", "opensearch", "splunk")),
    ("spec.gcs.bucket", "bucket"),
)
_LOGGING: Final[tuple[Row, ...]] = (
    *((f"spec.{each}.endpoint", "url") for each in ("http", "logz", "loki", "splunkHec")),
    ("spec.elasticsearch.host", "host"),
    ("spec.gcs.bucket", "bucket"),
    *((f"spec.{each}", "outside") for each in ("azurestorage", "datadog", "newrelic", "oss", "s3")),
)
_FILES: Final[tuple[Row, ...]] = (("file", "manifest"), ("files.*", "manifest"))
# What reads charts and files; its objects are resources of their own, save those of a release.
TOOLS: Final[Mapping[str, tuple[Row, ...]]] = {
    "kubernetes:helm.sh/v3:Release": (("chart", "chart"), ("repositoryOpts.repo", "registry")),
    "kubernetes:helm.sh/v4:Chart": (("chart", "chart"), ("repositoryOpts.repo", "registry")),
    "kubernetes:kustomize/v2:Directory": (("directory", "manifest"),),
    "kubernetes:yaml/v2:ConfigFile": _FILES,
    "kubernetes:yaml/v2:ConfigGroup": _FILES,
}
_WEBHOOKS: Final[tuple[Row, ...]] = (("webhooks.*.clientConfig.url", "url"),)
KUBERNETES: Final[Mapping[str, tuple[Row, ...]]] = {
    "admissionregistration.k8s.io/MutatingWebhookConfiguration": _WEBHOOKS,
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration": _WEBHOOKS,
    "apiextensions.k8s.io/CustomResourceDefinition": (
        ("spec.conversion.webhook.clientConfig.url", "url"),
    ),
    "argoproj.io/AppProject": (
        ("spec.destinations.*.server", "everything"),
        ("spec.sourceRepos.*", "everything"),
    ),
    "argoproj.io/Application": tuple((f"spec.{path}", kind) for path, kind in _APPLICATION),
    "argoproj.io/ApplicationSet": tuple(
        (f"spec.template.spec.{path}", kind) for path, kind in _APPLICATION
    ),
    "configsync.gke.io/RepoSync": _SYNC,
    "configsync.gke.io/RootSync": _SYNC,
    "datadoghq.com/DatadogAgent": (("spec.global", "outside"),),
    "dynatrace.com/DynaKube": (("spec.apiUrl", "url"),),
    "core/Endpoints": (("subsets.*.addresses.*.ip", "address"),),
    "core/Service": (("spec.externalName", "host"),),
    "discovery.k8s.io/EndpointSlice": (("endpoints.*.addresses.*", "address"),),
    "eventing.knative.dev/Trigger": (("spec.subscriber.uri", "url"),),
    "external-secrets.io/ClusterSecretStore": _STORES,
    "external-secrets.io/SecretStore": _STORES,
    "fluentbit.fluent.io/ClusterOutput": _OUTPUTS,
    "fluentbit.fluent.io/Output": _OUTPUTS,
    "grafana.integreatly.org/GrafanaContactPoint": (("spec.settings.url", "url"),),
    "gateway.networking.k8s.io/GRPCRoute": _ROUTES,
    "gateway.networking.k8s.io/HTTPRoute": _ROUTES,
    "logging.banzaicloud.io/ClusterOutput": _LOGGING,
    "logging.banzaicloud.io/Output": _LOGGING,
    "messaging.knative.dev/Subscription": (
        ("spec.reply.uri", "url"),
        ("spec.subscriber.uri", "url"),
    ),
    "monitoring.coreos.com/AlertmanagerConfig": (
        ("spec.receivers.*.webhookConfigs.*.url", "url"),
        ("spec.receivers.*.slackConfigs.*.apiURL", "url"),
    ),
    "monitoring.googleapis.com/ClusterPodMonitoring": _PROXIED,
    "monitoring.googleapis.com/PodMonitoring": _PROXIED,
    "monitoring.googleapis.com/OperatorConfig": (
        ("collection.externalLabels.project_id", "project"),
        ("exports.*.url", "url"),
        ("rules.queryProjectID", "project"),
    ),
    "networking.gke.io/FQDNNetworkPolicy": (("spec.egress.*.matches.*.pattern", "everything"),),
    "networking.istio.io/ServiceEntry": (("spec.hosts.*", "host"),),
    "networking.istio.io/VirtualService": (
        ("spec.http.*.mirror.host", "endpoint"),
        ("spec.http.*.mirrors.*.destination.host", "endpoint"),
        ("spec.http.*.redirect.authority", "endpoint"),
    ),
    "opentelemetry.io/Instrumentation": (("spec.exporter.endpoint", "endpoint"),),
    "source.toolkit.fluxcd.io/Bucket": (("spec.bucketName", "bucket"),),
    "source.toolkit.fluxcd.io/GitRepository": _FLUX,
    "source.toolkit.fluxcd.io/HelmRepository": _FLUX,
    "source.toolkit.fluxcd.io/OCIRepository": _FLUX,
    "snapshot.storage.k8s.io/VolumeSnapshotContent": (("spec.source.snapshotHandle", "name"),),
    "velero.io/BackupStorageLocation": (("spec.objectStorage.bucket", "bucket"),),
}

_TELEMETRY: Final = "otel-exporter-((otlp-)?((traces|metrics|logs|profiles)-)?|zipkin-|jaeger-)"
# What a program sends to, by what its variables and options are called, in small letters with
# dashes: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/,
# and the same of tracers, of clients of models and of Google's own libraries.
SETTINGS: Final = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (f"{_TELEMETRY}endpoint|otel-exporter-jaeger-agent-host", "endpoint"),
        ("otlp(-(traces|metrics|logs))?-endpoint", "endpoint"),
        ("dd-(agent-host|dd-url|site|trace-agent-url|url)|new-relic-host|sentry-dsn", "endpoint"),
        (
            "(langfuse|langsmith|langchain|phoenix(-collector)?)-(base-url|endpoint|host)",
            "endpoint",
        ),
        ("mlflow-tracking-uri|pyroscope-server-address|wandb-base-url", "endpoint"),
        ("vllm-usage-stats-server|elastic-apm-server-urls?|splunk-hec-url", "endpoint"),
        (
            "(openai|anthropic|azure-openai|gemini|mistral)-(api-)?(base(-url)?|endpoint)",
            "endpoint",
        ),
        ("(aws|s3|minio)-endpoint(-url(-[a-z0-9-]+)?)?", "endpoint"),
        ("[a-z-]+-emulator-host|gce-metadata-(host|ip|root)|hf-endpoint", "endpoint"),
        ("(vllm-)?(no-usage-stats|do-not-track)|hf-hub-disable-telemetry", "silence"),
        ("model|model-tag|tokenizer|hf-config-path", "weights"),
        ("(http|https|all|grpc)-proxy", "proxy"),
        ("(pip|uv)-(default-|extra-)?index(-url)?|npm-config-registry", "registry"),
    )
)
_GCS_FUSE: Final = "gcsfuse.csi.storage.gke.io"
_EVERY: Final = "_"


@cache
def _kind_of_setting(name: str) -> str:
    return next((kind for pattern, kind in SETTINGS if pattern.fullmatch(name)), "")


def _key(name: str, value: object, _holder: Props) -> Iterable[tuple[str, object, str]] | None:
    """Find a key of Cloud KMS, wherever a resource names it."""
    if not isinstance(value, str):
        return None
    return ((name, value, "key"),) if "/keyRings/" in value and _KEY.match(value) else ()


def destinations(resource: Resource) -> Iterator[tuple[str, object, str]]:
    """Yield where data of a resource goes: the path, what stands there and what it is."""
    token, props = resource.type, resource.props
    # Not every type has a project; what names none is made in its provider's.
    ours = token.startswith("gcp:") or token == _PROVIDER
    if ours and token != _SPOKE and "project" in list(props):
        yield "project", get(props, "project"), "project"
    if token.startswith("gcp:"):
        yield from search(props, _key)
    for path, kind in rows_of(token, kind_of(token)):
        for made in objects(token, props):
            for value in all_at(made, path.split(".")):
                yield path.replace(".*", "[]"), value, kind
    if has_programs(token):
        for setting in settings(token, props, _kind_of_setting):
            yield setting.name, setting.value, _kind_of_setting(setting.name)
        yield from (("an exporter", each, "endpoint") for each in exported(token, props))
        yield from (("a command", each, "endpoint") for each in called(token, props))
    for volume in _volumes(token, props):
        yield from _mounted_by(get(volume, "csi"))


def _volumes(token: str, props: Props) -> Iterator[object]:
    if kind_of(token) == "core/PersistentVolume":
        yield from (get(each, "spec") for each in objects(token, props))
    elif changes_pods(token):
        for spec in pod_specs(token, props):
            yield from elements(spec, "volumes")


def _mounted_by(csi: object) -> Iterator[tuple[str, object, str]]:
    """Yield what a volume of a driver of Google's mounts."""
    handle = get(csi, "volumeHandle")
    if text(csi, "driver") != _GCS_FUSE:
        yield "csi.volumeHandle", handle, "name"
        return
    for each in (handle, get(csi, "volumeAttributes", "bucketName")):
        yield "csi of gcsfuse", each, "everything" if each == _EVERY else "bucket"


def rows_of(token: str, kind: str) -> tuple[Row, ...]:
    """Return the destinations of a type, or of a kind of Kubernetes."""
    if not token.startswith("gcp:"):
        return TOOLS.get(token) or KUBERNETES.get(kind, ())
    return DESTINATIONS.get(token, ())
