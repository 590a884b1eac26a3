"""Runs the emulator, with its own Python: `emulator_server.py RECORD SECONDS`.

Each authorization is appended to the file RECORD as a line of JSON: user, action, resource, and
whether it was allowed. Requests of the root user aren't recorded.

ministack authorizes some requests of Glue and Athena on other resources than AWS. This module
corrects them according to AWS's Service Authorization Reference, so that a policy for one crawler
or workgroup has the same effect as in AWS. It also adds what a plan of a new machine needs: zones
of its type, parameters of Debian's images, user data, disk and groups.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ministack.app  # type: ignore[import-not-found]
from ministack.core import (  # type: ignore[import-not-found]
    iam_actions,
    iam_evaluator,
    responses,
)
from ministack.services import athena, ec2, glue, rds, ssm  # type: ignore[import-not-found]

CRAWLER = {"GetCrawler", "StartCrawler", "StopCrawler", "UpdateCrawler", "DeleteCrawler"}
DATABASE = {"GetDatabase", "UpdateDatabase", "DeleteDatabase"}

as_ministack_has_it = iam_actions.extract_resource_arn


def resource_arn(*request: Any) -> str:
    """Return the resource on which a request is authorized."""
    arn: str = as_ministack_has_it(*request)
    service, _method, _path, headers, body, _query, region, account = request
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if service == "glue" and operation in CRAWLER | DATABASE:
        kind = "crawler" if operation in CRAWLER else "database"
        return f"arn:aws:glue:{region}:{account}:{kind}/{json.loads(body)['Name']}"
    if service == "glue" and operation == "CreateDatabase":
        return (
            f"arn:aws:glue:{region}:{account}:database/{json.loads(body)['DatabaseInput']['Name']}"
        )
    if service == "athena" and arn == "*":
        asked = json.loads(body)
        known = athena._executions.get(asked.get("QueryExecutionId")) or athena._named_queries.get(  # noqa: SLF001
            asked.get("NamedQueryId")
        )
        if known:
            return f"arn:aws:athena:{region}:{account}:workgroup/{known['WorkGroup']}"
        if "CatalogName" in asked or operation == "GetDataCatalog":
            catalog = asked.get("CatalogName") or asked["Name"]
            return f"arn:aws:athena:{region}:{account}:datacatalog/{catalog}"
    return arn


IMAGE = "ami-0abcdef1234567890"
"""An image that ministack knows, and for which it starts nothing."""

parameters_as_ministack_has_them = ssm._get_parameters_by_path  # noqa: SLF001
route_tables_as_ministack_has_them = ec2._describe_route_tables  # noqa: SLF001
instance_as_ministack_has_it = ec2._instance_xml  # noqa: SLF001
run_as_ministack_does = ec2._run_instances  # noqa: SLF001
attribute_as_ministack_has_it = ec2._describe_instance_attribute  # noqa: SLF001


def parameters_by_path(asked: dict[str, Any]) -> Any:
    """Also return Debian's images: the newest of the release for each architecture."""
    path = asked["Path"].rstrip("/")
    if not path.startswith("/aws/service/debian/release/"):
        return parameters_as_ministack_has_them(asked)
    images = [
        {"Name": f"{path}/{architecture}", "Type": "String", "Value": IMAGE, "Version": 1}
        for architecture in ("amd64", "arm64")
    ]
    return responses.json_response({"Parameters": images})


def instance_type_offerings(asked: dict[str, Any]) -> Any:
    """Return every type in every zone."""
    kind = ec2._p(asked, "Filter.1.Value.1")  # noqa: SLF001
    items = "".join(
        f"<item><instanceType>{kind}</instanceType><locationType>availability-zone</locationType>"
        f"<location>{ec2.get_region()}{zone}</location></item>"
        for zone in "abc"
    )
    return ec2._xml(  # noqa: SLF001
        200,
        "DescribeInstanceTypeOfferingsResponse",
        f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>",
    )


def instance_attribute(asked: dict[str, Any]) -> Any:
    """Also return the user data, unchanged."""
    instance = ec2._instances.get(ec2._p(asked, "InstanceId"))  # noqa: SLF001
    if not instance or ec2._p(asked, "Attribute") != "userData":  # noqa: SLF001
        return attribute_as_ministack_has_it(asked)
    return ec2._xml(  # noqa: SLF001
        200,
        "DescribeInstanceAttributeResponse",
        f"<instanceId>{instance['InstanceId']}</instanceId>"
        f"<userData><value>{instance['UserData']}</value></userData>",
    )


def run_instances(asked: dict[str, Any]) -> Any:
    """Also keep the requested disk, subnet, security groups and metadata options."""
    known = set(ec2._instances)  # noqa: SLF001
    answer = run_as_ministack_does(asked)
    for id_ in set(ec2._instances) - known:  # noqa: SLF001
        instance = ec2._instances[id_]  # noqa: SLF001
        groups = ec2._parse_member_list(asked, "NetworkInterface.1.SecurityGroupId")  # noqa: SLF001
        if groups:
            instance["SubnetId"] = ec2._p(asked, "NetworkInterface.1.SubnetId")  # noqa: SLF001
            instance["SecurityGroups"] = [{"GroupId": id_, "GroupName": id_} for id_ in groups]
        instance["HttpTokens"] = ec2._p(asked, "MetadataOptions.HttpTokens")  # noqa: SLF001
        for mapping in instance["BlockDeviceMappings"]:
            volume = ec2._volumes[mapping["Ebs"]["VolumeId"]]  # noqa: SLF001
            ebs = "BlockDeviceMapping.1.Ebs"
            volume["Size"] = int(ec2._p(asked, f"{ebs}.VolumeSize") or volume["Size"])  # noqa: SLF001
            volume["Encrypted"] = ec2._p(asked, f"{ebs}.Encrypted") == "true"  # noqa: SLF001
    return answer


def instance_xml(instance: dict[str, Any]) -> str:
    """Return an instance with its metadata options."""
    options = (
        f"<metadataOptions><httpTokens>{instance.get('HttpTokens', '')}</httpTokens>"
        "<state>applied</state>"
        "<httpPutResponseHopLimit>1</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint>"
        "<httpProtocolIpv6>disabled</httpProtocolIpv6>"
        "<instanceMetadataTags>disabled</instanceMetadataTags></metadataOptions>"
    )
    xml: str = instance_as_ministack_has_it(instance)
    return xml.replace("<hypervisor>", f"{options}<hypervisor>")


def route_tables(asked: dict[str, Any]) -> Any:
    """Also apply filters."""
    for number in range(1, 10):
        if ec2._p(asked, f"Filter.{number}.Name") == "route-table-id":  # noqa: SLF001
            asked["RouteTableId.1"] = asked[f"Filter.{number}.Value.1"]
    return route_tables_as_ministack_has_them(asked)


create_as_ministack_does = rds._create_db_instance  # noqa: SLF001


def create_database(asked: dict[str, Any]) -> Any:
    """Use the port of a test server in place of the instance, if there is one."""
    answer = create_as_ministack_does(asked)
    instance = rds._instances.get(rds._p(asked, "DBInstanceIdentifier"))  # noqa: SLF001
    if instance and "RDS_PORT" in os.environ:
        instance["Endpoint"] |= {"Address": "127.0.0.1", "Port": int(os.environ["RDS_PORT"])}
    return answer


def recorded(enforce: Callable[..., Any], record: Path) -> Callable[..., Any]:
    """Wrap the function that authorizes requests, so that each is recorded."""

    def enforce_and_record(
        access_key: str, action: str, service: str, region: str, **more: Any
    ) -> Any:
        refusal = enforce(access_key, action, service, region, **more)
        who = iam_evaluator.resolve_principal(access_key, responses.get_account_id())
        if getattr(who, "policies", None) is not None:
            call = {"who": who.arn, "action": action, "resource": more.get("resource_arn", "*")}
            with record.open("a") as file:
                file.write(json.dumps({**call, "allowed": refusal is None}) + "\n")
        return refusal

    return enforce_and_record


def main() -> None:
    """Serve until killed. A crawl takes `seconds`."""
    iam_actions.extract_resource_arn = resource_arn
    ssm._get_parameters_by_path = parameters_by_path  # noqa: SLF001
    ec2._ACTION_MAP["DescribeInstanceAttribute"] = instance_attribute  # noqa: SLF001
    ec2._instance_xml = instance_xml  # noqa: SLF001
    ec2._ACTION_MAP["DescribeRouteTables"] = route_tables  # noqa: SLF001
    ec2._ACTION_MAP["RunInstances"] = run_instances  # noqa: SLF001
    ec2._ACTION_MAP["DescribeInstanceTypeOfferings"] = instance_type_offerings  # noqa: SLF001
    rds._ACTION_MAP["CreateDBInstance"] = create_database  # noqa: SLF001
    glue.CRAWLER_RUN_SECONDS = float(sys.argv.pop())  # ministack reads the other variables
    iam_evaluator.enforce = recorded(iam_evaluator.enforce, Path(sys.argv.pop()))
    # With TLS it would also listen on port 443
    ministack.app._port_is_bindable = lambda *_: False  # noqa: SLF001
    ministack.app.main()


if __name__ == "__main__":
    main()
