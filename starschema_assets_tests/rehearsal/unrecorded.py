"""Grants that no request of a rehearsal uses, each with its reason and where that is documented.

Most are used by AWS's services themselves, with the rights of who asked or of the role that they
took: the emulator's services use none.
"""

from typing import NamedTuple

AWS = "https://docs.aws.amazon.com"
ATHENA_CATALOG = f"{AWS}/athena/latest/ug/fine-grained-access-to-glue-resources.html"
ATHENA_BUCKETS = f"{AWS}/athena/latest/ug/s3-permissions.html"
ATHENA_KEYS = f"{AWS}/athena/latest/ug/encryption.html"
ATHENA_EDITOR = f"{AWS}/athena/latest/ug/example-policies-workgroup.html"
ATHENA_ALL = f"{AWS}/aws-managed-policy/latest/reference/AmazonAthenaFullAccess.html"
CRAWLER = f"{AWS}/glue/latest/dg/crawler-prereqs.html"
GLUE_ROLE = f"{AWS}/aws-managed-policy/latest/reference/AWSGlueServiceRole.html"
GLUE_KEYS = f"{AWS}/glue/latest/dg/set-up-encryption.html"
GLUE_SPARK = f"{AWS}/glue/latest/dg/create-an-iam-role.html"
BUCKET_KEYS = f"{AWS}/AmazonS3/latest/userguide/UsingKMSEncryption.html"
SESSIONS = (
    f"{AWS}/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html"
)


class Unrecorded(NamedTuple):
    """Why grants are needed all the same."""

    grants: str
    """A pattern for `STATEMENT ACTION RESOURCES`, as with file names."""
    why: str
    source: str
    """A page of AWS, or a file of this project whose tests show the request."""


NOT_BOOTED = Unrecorded(
    "ReadItsRelease *", "the machine reads it, and no container boots here", "deploy/first-boot.sh"
)
ASK = [
    Unrecorded(
        "Ask athena:StopQueryExecution *",
        "a query whose asker is interrupted is ended; the editor has a button for it",
        ATHENA_EDITOR,
    ),
    Unrecorded(
        "ReadTheCatalog glue:*",
        "Athena reads the catalog with the rights of who asks",
        ATHENA_CATALOG,
    ),
    Unrecorded(
        "KnowTheDefaultDatabase glue:*",
        "Athena asks for the database `default` before any query, and makes it if it is missing",
        ATHENA_CATALOG,
    ),
    Unrecorded(
        "KeepResults s3:*", "Athena writes results with the rights of who asks", ATHENA_BUCKETS
    ),
    Unrecorded("ListResults s3:*", "so it does when it reads them", ATHENA_BUCKETS),
    Unrecorded("PlaceOfTheBuckets s3:*", "Athena finds out a bucket's region", ATHENA_ALL),
    Unrecorded("UseTheKey kms:*", "the emulator encrypts nothing", ATHENA_KEYS),
]
"""Of everybody who asks Athena."""

UNRECORDED: dict[str, list[Unrecorded]] = {
    "starschema-pipeline": [
        *ASK,
        Unrecorded(
            "Publish s3:AbortMultipartUpload *",
            "a run that fails ends its uploads, and the next ends those of a killed one",
            "starschema_assets/lake/s3.py",
        ),
        Unrecorded("BeReachedBySessionManager *", "Session Manager's agent asks for it", SESSIONS),
        Unrecorded(
            "PublishTheReport s3:GetObject *",
            "`aws s3 presign` on the machine makes a link with the pipeline's rights",
            "docs/deploy.md",
        ),
        Unrecorded(
            "LookIntoTheLake s3:GetBucketVersioning *",
            "a restore that finds no earlier version asks whether the bucket keeps any",
            "starschema_assets/lake/s3.py",
        ),
        Unrecorded(
            "RunSpark glue:BatchStopJobRun *",
            "a run that is cancelled stops its job",
            "starschema_assets/orchestration/pipes_glue.py",
        ),
    ],
    "starschema-crawler": [
        Unrecorded("*TheStar s3:*", "Glue reads the crawler's targets with its role", CRAWLER),
        Unrecorded("PlaceOfTheBucket s3:*", "Glue finds out the bucket's region", GLUE_ROLE),
        Unrecorded("DecryptTheLake kms:*", "the emulator encrypts nothing", BUCKET_KEYS),
        Unrecorded("WriteTheCatalog glue:*", "the crawler writes tables with its role", CRAWLER),
        Unrecorded("WriteItsLog logs:*", "into a log group that has a key", GLUE_KEYS),
    ],
    "starschema-spark": [
        Unrecorded(
            "Stage s3:*",
            "Glue's workers share S3 alone; the stand-in's Spark stages in a folder",
            GLUE_SPARK,
        ),
        Unrecorded(
            "*Star s3:AbortMultipartUpload *",
            "a job that fails ends its uploads",
            "starschema_assets/lake/s3.py",
        ),
        Unrecorded(
            "Sweep s3:AbortMultipartUpload *",
            "who takes the lock ends the uploads of a killed run",
            "starschema_assets/lake/s3.py",
        ),
        Unrecorded(
            "ListTheLake s3:ListBucketVersions *",
            "a history that is gone is told from one that never was",
            "starschema_assets/star/continuation.py",
        ),
        Unrecorded(
            "ListTheLake s3:ListBucket *",
            "Glue's workers list what they read and staged",
            "starschema_assets/spark/files.py",
        ),
        Unrecorded(
            "ReadItsCode s3:GetObject *", "Glue loads script and wheel with the role", GLUE_SPARK
        ),
        Unrecorded(
            "ListTheLake s3:GetBucketLocation *", "Glue finds out the bucket's region", GLUE_ROLE
        ),
        Unrecorded("UseTheKey kms:*", "the emulator encrypts nothing", BUCKET_KEYS),
        Unrecorded("WriteItsLogs logs:*", "into log groups that have a key", GLUE_KEYS),
    ],
    "starschema-analyst": [
        *ASK,
        Unrecorded(
            "*TheStar s3:*", "Athena reads the files with the rights of who asks", ATHENA_BUCKETS
        ),
        Unrecorded("UseTheEditor athena:*", "what the editor shows of a workgroup", ATHENA_EDITOR),
        Unrecorded(
            "BrowseTheCatalog athena:*", "what the editor shows of the catalog", ATHENA_EDITOR
        ),
        Unrecorded(
            "ListDatabases glue:GetDatabases *",
            "the editor's list of databases, and SHOW DATABASES",
            ATHENA_CATALOG,
        ),
        Unrecorded(
            "ChooseInTheEditor athena:*",
            "the editor's lists of catalogs and workgroups",
            ATHENA_EDITOR,
        ),
    ],
}
