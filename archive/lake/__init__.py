"""The lake: all tables of one or several archives as Parquet files, partitioned for DuckDB, Spark and the like.

    lake/posts/clinic_hash=3/year=2026/part-0.parquet     rows of the clinics whose slugs hash to 3, first seen in 2026
    lake/lake.sql                                         for DuckDB: a view of each table, a macro of each question
    lake/manifest.json                                    what is there: rows, bytes and digest of each partition

A partition is written aside and renamed, so that a kill at any instant leaves whole ones, and only if its rows changed.
"""

from archive.lake._whole import LakeError, LakeTable, export_lake

__all__ = ["LakeError", "LakeTable", "export_lake"]
