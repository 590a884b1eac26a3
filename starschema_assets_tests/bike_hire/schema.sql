-- Bikes that are hired by the hour. Keys are text, a pair of columns, and a number.
create table stations (
    station_code char(4) not null,
    station_name varchar(40) not null,
    district varchar(40),
    primary key (station_code)
);

create table makers (
    maker varchar(20) not null,
    home_country char(2) not null,
    primary key (maker)
);

create table bikes (
    maker varchar(20) not null,
    frame_no int unsigned not null,
    bike_kind enum('city', 'cargo', 'electric') not null,
    hourly_price decimal(6, 2) not null,
    primary key (maker, frame_no),
    foreign key (maker) references makers (maker)
);

create table hires (
    hire_no bigint not null,
    maker varchar(20) not null,
    frame_no int unsigned not null,
    station_code char(4) not null,
    hired_on date not null,
    hired_hours decimal(7, 3) not null,
    kilometres decimal(9, 1),
    primary key (hire_no),
    foreign key (maker, frame_no) references bikes (maker, frame_no),
    foreign key (station_code) references stations (station_code)
);

insert into stations values
    ('HBF1', 'Main station', 'Centre'),
    ('PARK', 'Park, north gate', null),
    ('ÜBER', 'Überlandstraße', 'East');

insert into makers values ('Gazelle', 'NL'), ('Simplon', 'AT'), ('Unused', 'DE');

insert into bikes values
    ('Gazelle', 1, 'city', 2.50),
    ('Gazelle', 2, 'cargo', 6.00),
    ('Gazelle', 3, 'city', 2.50),
    ('Gazelle', 4, 'cargo', 6.00),
    ('Simplon', 1, 'electric', 4.75),
    ('Simplon', 4000000000, 'electric', 5.25);

insert into hires values
    (1, 'Gazelle', 1, 'HBF1', '2025-12-30', 1.500, 12.4),
    (2, 'Gazelle', 1, 'PARK', '2025-12-31', 0.333, null),
    (3, 'Gazelle', 2, 'HBF1', '2025-12-31', 24.000, 31.0),
    (4, 'Simplon', 1, 'ÜBER', '2026-01-01', 2.125, 40.7),
    (5, 'Simplon', 4000000000, 'ÜBER', '2026-01-02', 0.001, 0.0),
    (5000000000, 'Gazelle', 2, 'PARK', '2026-01-04', 3.250, 9.9);
