"""Makes homes.parquet, a small table with numbers, gaps and text, as pyarrow writes it."""

from pathlib import Path

import pyarrow
import pyarrow.parquet

ROWS = 40
size = [None if i % 7 == 3 else i % 10 for i in range(ROWS)]
code = [["010", "020", "030"][i % 3] for i in range(ROWS)]
price = [100.0 + 5.0 * (i % 10) + 20.0 * (i % 3) for i in range(ROWS)]
table = pyarrow.table({"size": size, "code": code, "garden": [i % 2 == 0 for i in range(ROWS)], "price": price})
pyarrow.parquet.write_table(table, Path(__file__).parent / "homes.parquet", compression="snappy")
