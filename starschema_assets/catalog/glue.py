"""The AWS Glue Data Catalog, updated by a Glue crawler."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from logging import Logger
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from starschema_assets.aws import advice, client_config, code_of
from starschema_assets.catalog import console
from starschema_assets.catalog.catalog import Catalog, CatalogError, CatalogTable, Crawl
from starschema_assets.catalog.glue_tables import catalog_table
from starschema_assets.catalog.waiting import Waiting
from starschema_assets.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import (
        CrawlerTypeDef,
        LastCrawlInfoTypeDef,
    )

_BUSY = {"CrawlerRunningException", "CrawlerStoppingException"}


class GlueCatalog(Catalog):
    """The database STARSCHEMA_GLUE_DATABASE, filled by the crawler STARSCHEMA_GLUE_CRAWLER."""

    kind = "glue"

    def __init__(self, settings: Settings) -> None:
        """Raise CatalogError if crawler or database is not set. Make no request yet."""
        if not settings.glue_crawler or not settings.glue_database:
            raise CatalogError(
                "The Glue catalog needs both STARSCHEMA_GLUE_CRAWLER and STARSCHEMA_GLUE_DATABASE."
            )
        self.crawler = settings.glue_crawler
        self.database = settings.glue_database
        self.timeout = settings.crawl_timeout
        self.name = f"Glue database {self.database}"

    def crawl(self, log: Logger) -> Crawl:
        """Run the crawler once and wait for its end. Wait for a crawl in progress first."""
        waiting = Waiting(self.crawler, self.timeout, log)
        self._check_database()
        before = self.tables()
        self._run_crawler(waiting)
        links = {
            "Glue crawler": console.crawler(self._region, self.crawler),
            "Glue database": console.database(self._region, self.database),
            "Athena": console.query_editor(self._region),
        }
        return Crawl.between(before, self.tables(), waiting.seconds, links)

    def tables(self) -> Mapping[str, CatalogTable]:
        """Return all tables of the database, including those that aren't part of the star."""
        with self._clear_errors():
            pages = self._client.get_paginator("get_tables").paginate(DatabaseName=self.database)
            return {
                table["Name"]: catalog_table(table) for page in pages for table in page["TableList"]
            }

    def forget(self, name: str) -> None:
        """Delete the table. Glue stores its name in lower case."""
        if name.lower() in self.tables():
            with self._clear_errors():
                self._client.delete_table(DatabaseName=self.database, Name=name.lower())

    @cached_property
    def _client(self) -> "GlueClient":
        with self._clear_errors():
            return boto3.Session().client("glue", config=client_config())

    @property
    def _region(self) -> str:
        return self._client.meta.region_name

    def _check_database(self) -> None:
        crawler = self._get_crawler()
        database = crawler.get("DatabaseName")
        if database != self.database:
            raise CatalogError(
                f"The Glue crawler {self.crawler} writes to the database {database}, "
                f"not to {self.database}: correct STARSCHEMA_GLUE_DATABASE or the crawler."
            )

    def _run_crawler(self, waiting: Waiting) -> None:
        """Start the crawler, and return when this crawl has succeeded.

        A crawl that is already in progress may have listed the files before they were published.
        Wait for its end, then start another one.
        """
        crawler = self._get_crawler()
        while crawler["State"] != "READY" or not self._start():
            waiting.pause(f"busy with an earlier crawl ({crawler['State']})")
            crawler = self._get_crawler()
        before = crawler.get("LastCrawl", {}).get("StartTime")
        while not self._has_ended(before, waiting):
            pass

    def _start(self) -> bool:
        """Start the crawler. Return False if it is busy."""
        with self._clear_errors():
            try:
                self._client.start_crawler(Name=self.crawler)
            except ClientError as error:
                if code_of(error) not in _BUSY:
                    raise
                return False
        return True

    def _has_ended(self, before: datetime | None, waiting: Waiting) -> bool:
        """Return True if a crawl later than the one started at `before` has succeeded, else pause.

        The state READY isn't enough: shortly after the start, Glue may still return the old state.
        """
        crawler = self._get_crawler()
        last: LastCrawlInfoTypeDef = crawler.get("LastCrawl") or {}
        started = last.get("StartTime")
        if crawler["State"] != "READY":
            waiting.pause(crawler["State"])
        elif started is None or started == before:
            waiting.pause(f"READY, but its last crawl is the previous one (started {started})")
        elif last.get("Status") == "SUCCEEDED":
            return True
        else:
            page = console.log(self._region, last.get("LogGroup", ""), last.get("LogStream", ""))
            raise CatalogError(
                f"The crawl of {self.crawler} ended as {last.get('Status')}: "
                f"{last.get('ErrorMessage') or 'Glue gives no reason'}. Its log: {page}"
            )
        return False

    def _get_crawler(self) -> "CrawlerTypeDef":
        with self._clear_errors():
            return self._client.get_crawler(Name=self.crawler)["Crawler"]

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            if not isinstance(error, ClientError) or code_of(error) != "EntityNotFoundException":
                raise CatalogError(
                    f"Glue crawler {self.crawler}, database {self.database}: "
                    f"{advice(error, 'glue')}"
                ) from error
            missing, setting = (
                (f"database {self.database}", "STARSCHEMA_GLUE_DATABASE")
                if error.operation_name == "GetTables"
                else (f"crawler {self.crawler}", "STARSCHEMA_GLUE_CRAWLER")
            )
            raise CatalogError(
                f"There is no Glue {missing} in {self._region}: create it, or correct {setting} "
                "or AWS_DEFAULT_REGION."
            ) from error
