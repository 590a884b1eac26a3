-- A small library, with what is odd in databases of the field.
create table readers (
    reader_id smallint unsigned not null auto_increment comment 'Number on the card.',
    first_name varchar(45) not null,
    last_name varchar(45) not null,
    e_mail varchar(80),
    birthday date,
    remarks text comment 'What the desk
        noted: "late", or isn''t.',
    joined timestamp not null default current_timestamp,
    primary key (reader_id)
) comment 'Who may borrow.';

create table books (
    isbn char(13) not null,
    title varchar(200) not null,
    description text,
    year_printed year,
    kind enum('novel', 'poems', 'other') not null default 'other',
    shelves set('hall', 'cellar') default null,
    cover mediumblob,
    price decimal(6, 2) unsigned not null,
    exact decimal(65, 30),
    place point,
    primary key (isbn)
);

create table branches (
    branch_id tinyint unsigned not null,
    name varchar(40) not null,
    street varchar(60) not null,
    head_id int unsigned,
    primary key (branch_id)
);
create table librarians (
    librarian_id int unsigned not null,
    name varchar(40) not null,
    branch_id tinyint unsigned not null,
    primary key (librarian_id),
    constraint works_at foreign key (branch_id) references branches (branch_id)
);
alter table branches
    add constraint headed_by foreign key (head_id) references librarians (librarian_id);

create table book_authors (
    author varchar(60) not null,
    isbn char(13) not null,
    primary key (isbn, author)
);
create table `order` (`2nd copy` tinyint(1) not null, number bigint unsigned primary key);
create table stamps (code varchar(8) not null, unique key only_one (code), colour varchar(20));
create table visits (day date not null, visitors int);
create table `lost items` (id int primary key);
create table Tags (id int primary key);
create table tags (id int primary key);
create view late as select reader_id, count(*) as days from readers group by reader_id;
