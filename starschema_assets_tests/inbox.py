"""An SNS topic whose delivered messages are read from an SQS queue."""

import json
import uuid
from typing import Any

from starschema_assets.orchestration.alerts import Alert
from starschema_assets_tests.daemon import eventually
from starschema_assets_tests.emulator import Emulator


class Inbox:
    """A topic, and a queue that gets its messages."""

    def __init__(self, aws: Emulator, name: str | None = None) -> None:
        self.name = name or f"alerts-{uuid.uuid4().hex[:8]}"
        self.topic = f"arn:aws:sns:{aws.session.region_name}:000000000000:{self.name}"
        self._sns: Any = aws.session.client("sns", endpoint_url=aws.url)
        self._sqs: Any = aws.session.client("sqs", endpoint_url=aws.url)
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]

    def open(self) -> None:
        """Create the topic, and let it send to the queue."""
        assert self._sns.create_topic(Name=self.name)["TopicArn"] == self.topic
        queue = self.topic.replace(":sns:", ":sqs:")
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=queue)

    def take(self) -> list[Alert]:
        """Return the messages since the last call, without waiting."""
        taken = []
        while found := self._sqs.receive_message(QueueUrl=self._queue).get("Messages"):
            for message in found:
                body = json.loads(message["Body"])
                taken.append(Alert(body["Subject"], body["Message"]))
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return taken

    def wait(self) -> Alert:
        """Wait for the next message; assert that there is only one."""
        (message,) = eventually(self.take)
        return message
