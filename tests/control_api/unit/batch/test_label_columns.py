"""Results of models of several labels: a column for each label's classes."""

from modelport_control_api.batch.results.columns import Columns
from modelport_control_api.batch.results.writers import CsvWriter
from modelport_control_api.batch.storage.chunks import ChunkResults, read_results, write_results


def test_each_label_has_columns_of_its_own() -> None:
    labels = [{"0": 0.25, "1": 0.75}, {"no": 0.5, "yes": 0.5}]
    results = read_results(
        write_results(ChunkResults(0, 2, [[1, "no"], None], [labels, None], {1: "bad"}, {}))
    )
    columns = Columns()
    columns.see(results)
    writer = CsvWriter(columns)
    lines = (writer.begin() + writer.rows(results) + writer.end()).decode().splitlines()
    assert lines[0].split(",")[2:-1] == [f"probability_{name}" for name in ("0_0", "0_1", "1_no", "1_yes")]
    assert "0.25,0.75,0.5,0.5" in lines[1]
    assert ",,,,," in lines[2]
