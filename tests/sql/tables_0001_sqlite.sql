CREATE TABLE paths (
id INTEGER NOT NULL,
parent_id INTEGER,
name TEXT NOT NULL,
created DATETIME NOT NULL,
note TEXT,
CONSTRAINT pk_paths PRIMARY KEY (id),
CONSTRAINT uq_paths_parent_id_name UNIQUE (parent_id, name),
CONSTRAINT fk_paths_parent_id FOREIGN KEY(parent_id) REFERENCES paths (id) ON DELETE CASCADE
)
CREATE TABLE device_configurations (
name TEXT NOT NULL,
type TEXT NOT NULL,
content TEXT NOT NULL,
CONSTRAINT pk_device_configurations PRIMARY KEY (name)
)
CREATE TABLE global_parameters (
id INTEGER NOT NULL,
content TEXT NOT NULL,
CONSTRAINT pk_global_parameters PRIMARY KEY (id)
)
CREATE TABLE units (
id INTEGER NOT NULL,
definition TEXT NOT NULL,
CONSTRAINT pk_units PRIMARY KEY (id)
)
CREATE TABLE writer (
id INTEGER NOT NULL,
CONSTRAINT pk_writer PRIMARY KEY (id)
)
CREATE TABLE shotstore_version (
version_num VARCHAR(32) NOT NULL,
CONSTRAINT pk_shotstore_version PRIMARY KEY (version_num)
)
CREATE TABLE sequences (
path_id INTEGER NOT NULL,
state VARCHAR(16) NOT NULL,
start_time DATETIME,
stop_time DATETIME,
expected_number_of_shots BIGINT,
number_of_shots BIGINT,
iteration TEXT NOT NULL,
time_lanes TEXT NOT NULL,
exception TEXT,
interruptions TEXT NOT NULL,
tags TEXT NOT NULL,
note TEXT NOT NULL,
measured TEXT,
recorder VARCHAR(32),
global_parameters TEXT,
device_configurations TEXT,
number_of_retakes BIGINT NOT NULL,
parameter_schema TEXT NOT NULL,
data_schema TEXT NOT NULL,
CONSTRAINT pk_sequences PRIMARY KEY (path_id),
CONSTRAINT fk_sequences_path_id FOREIGN KEY(path_id) REFERENCES paths (id) ON DELETE CASCADE
)
CREATE INDEX ix_sequences_state ON sequences (state)
CREATE TABLE shots (
id INTEGER NOT NULL,
sequence_id INTEGER NOT NULL,
shot_index BIGINT NOT NULL,
attempt INTEGER NOT NULL,
start_time DATETIME NOT NULL,
end_time DATETIME NOT NULL,
parameters TEXT NOT NULL,
data TEXT NOT NULL,
CONSTRAINT pk_shots PRIMARY KEY (id),
CONSTRAINT uq_shots_sequence_id_shot_index_attempt UNIQUE (sequence_id, shot_index, attempt),
CONSTRAINT fk_shots_sequence_id FOREIGN KEY(sequence_id) REFERENCES sequences (path_id) ON DELETE CASCADE
)
CREATE TABLE results (
id INTEGER NOT NULL,
sequence_id INTEGER NOT NULL,
shot_row BIGINT NOT NULL,
shot_index BIGINT NOT NULL,
time DATETIME NOT NULL,
"by" TEXT NOT NULL,
data TEXT NOT NULL,
tags TEXT,
note TEXT,
CONSTRAINT pk_results PRIMARY KEY (id),
CONSTRAINT fk_results_sequence_id FOREIGN KEY(sequence_id) REFERENCES sequences (path_id) ON DELETE CASCADE
)
CREATE INDEX ix_results_sequence_id ON results (sequence_id, id)
CREATE TABLE arrays (
shot_id INTEGER NOT NULL,
position INTEGER NOT NULL,
part SMALLINT NOT NULL,
content BLOB NOT NULL,
CONSTRAINT pk_arrays PRIMARY KEY (shot_id, position, part),
CONSTRAINT fk_arrays_shot_id FOREIGN KEY(shot_id) REFERENCES shots (id) ON DELETE CASCADE
)
CREATE TABLE result_arrays (
result_id INTEGER NOT NULL,
position INTEGER NOT NULL,
part SMALLINT NOT NULL,
content BLOB NOT NULL,
CONSTRAINT pk_result_arrays PRIMARY KEY (result_id, position, part),
CONSTRAINT fk_result_arrays_result_id FOREIGN KEY(result_id) REFERENCES results (id) ON DELETE CASCADE
)
