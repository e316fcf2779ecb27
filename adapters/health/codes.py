"""Code tables of the health formats, as data with their source. No rule stands here.

SNOMED CT: UK edition. ICD-10: WHO, 5th edition, chapters XIX and XX. HL7: v2.4 table 0063 in the UK profile, v3
RoleCode. NHS: NHS Data Dictionary.
"""

from __future__ import annotations

# NEMS professional-contacts-1, EpisodeOfCare.type (SNOMED CT services): (code for the event, plain words)
SERVICES = {
    "1078501000000104": ("health-visiting", "health visiting"),
    "931821000000105": ("school-nursing", "school nursing"),
    "1060971000000108": ("gp", "a GP practice"),
}

# CareTeam.participant.role (SNOMED CT), in plain words.
WORKER_ROLES = {"224534008": "health visitor, nurse or midwife"}

# NEMS vaccinations-1, Immunization.explanation.reasonNotGiven (SNOMED CT): (code for the event, plain words)
NOT_GIVEN = {"310376006": ("declined", "consent was not given")}

# CareConnect-DeathNotificationStatus-1; U is a notification taken away.
DEATH_STATUS = {"1": "informal", "2": "formal"}
DEATH_REMOVED = {"U"}

# NK1-3, HL7 table 0063: the UK's numbers and the standard's letters, as HL7 v3 RoleCode.
RELATIONS = {
    "1": "SPS", "2": "DOMPART", "3": "PRN", "4": "FAMMEMB", "5": "GUARD", "6": "PRNFOST", "7": "STPPRN", "8": "EXT",
    "9": "FAMMEMB", "12": "MTH", "13": "FTH", "14": "SIB", "15": "BRO", "16": "SIS", "17": "CAREGIVER",
    "20": "CAREGIVER", "SPO": "SPS", "DOM": "DOMPART", "PAR": "PRN", "GRD": "GUARD", "MTH": "MTH", "FTH": "FTH",
    "GRP": "GRPRN", "SIB": "SIB", "BRO": "BRO", "SIS": "SIS", "CGV": "CAREGIVER", "EXF": "EXT",
}  # fmt: skip
RELATION_WORDS = {
    "SPS": "spouse",
    "DOMPART": "partner",
    "PRN": "parent",
    "FAMMEMB": "family member",
    "GUARD": "guardian",
    "PRNFOST": "foster parent",
    "STPPRN": "step-parent",
    "EXT": "relative",
    "MTH": "mother",
    "FTH": "father",
    "SIB": "brother or sister",
    "BRO": "brother",
    "SIS": "sister",
    "GRPRN": "grandparent",
    "CAREGIVER": "carer",
}
SAY_THE_SEX = {"MTH", "FTH", "BRO", "SIS"}
BROUGHT_BY = {
    "PRN": "parent", "STPPRN": "parent", "MTH": "parent", "FTH": "parent", "GUARD": "carer", "PRNFOST": "carer",
    "CAREGIVER": "carer", "FAMMEMB": "relative", "EXT": "relative", "SIB": "relative", "BRO": "relative",
    "SIS": "relative", "GRPRN": "relative",
}  # fmt: skip
SEX_WORDS = {"1": "male", "M": "male", "2": "female", "F": "female"}

# PV1-4 admission method (NHS): 21 is emergency through an emergency department. PV1-10 treatment specialty (NHS): 180
# is emergency medicine. PV1-2 (HL7 table 0004): E is emergency, I inpatient.
EMERGENCY_METHODS = {"21"}
EMERGENCY_SPECIALTIES = {"180"}
EMERGENCY_CLASSES = {"E"}
ADMISSION_METHODS = {"1": "elective", "2": "emergency", "3": "maternity"}  # by the first digit
ADMISSION_METHODS_WHOLE = {"81": "transfer", "82": "birth", "83": "birth"}

# PV1-37 discharge destination (NHS).
DISCHARGED_TO = {"19": "home", "66": "foster-home", "49": "other-hospital", "50": "other-hospital",
                 "51": "other-hospital", "52": "other-hospital", "53": "other-hospital"}  # fmt: skip

# ZU3-3 attended or did not attend (NHS). 3 did not attend, no advance warning. 2 and 4 are cancellations, 5 and 6
# attended, 7 came too late to be seen: in those the child was brought, or nobody was to be brought.
NOT_BROUGHT = {"3"}

# What CE.3 and its like call a code system whose display text is a table's and not somebody's own words.
ICD10 = {"ICD10", "I10", "ICD-10", "ICD10WHO"}
NATIONAL_SYSTEMS = ICD10 | {"SNM", "SCT", "SNOMED", "SNOMED-CT", "OPCS4"}

# ICD-10 chapter XIX, by the longest prefix that is listed.
INJURY_SITES = {
    "S0": "head", "S00.1": "eye", "S00.2": "eye", "S00.3": "face", "S00.4": "ear", "S00.5": "mouth", "S01.1": "eye",
    "S01.2": "face", "S01.3": "ear", "S01.4": "cheek", "S01.5": "mouth", "S02.2": "face", "S02.5": "mouth",
    "S02.6": "face", "S05": "eye", "S08.1": "ear",
    "S1": "neck",
    "S2": "chest", "S20.4": "back", "S21.2": "back",
    "S3": "abdomen", "S30.0": "back", "S30.2": "genitals", "S31.0": "back", "S31.2": "genitals", "S31.3": "genitals",
    "S31.4": "genitals", "S32": "back", "S33": "back",
    "S4": "upper-arm", "S42.0": "shoulder", "S42.1": "shoulder", "S43": "shoulder",
    "S5": "forearm",
    "S6": "hand", "S63.0": "wrist", "S63.3": "wrist", "S63.5": "wrist", "S69": "wrist",
    "S7": "thigh",
    "S8": "lower-leg", "S80.0": "knee", "S83": "knee", "S82.0": "knee", "S82.5": "ankle", "S82.6": "ankle",
    "S9": "foot", "S90.0": "ankle", "S91.0": "ankle", "S93.2": "ankle", "S93.4": "ankle",
    "T0": "several", "T14": "not-stated",
    "T20": "head", "T21": "other", "T22": "upper-arm", "T23": "hand", "T24": "other", "T25": "foot", "T26": "eye",
    "T29": "several", "T3": "not-stated",
}  # fmt: skip
INJURY_KINDS = {
    "S": "other", "S.0": "mark", "S.1": "cut", "S.2": "fracture", "S.9": "not-stated",
    "S05": "eye-injury", "S06": "head-injury", "S09": "head-injury",
    "T0": "other", "T00": "mark", "T01": "cut", "T02": "fracture", "T14": "other", "T14.0": "mark", "T14.1": "cut",
    "T14.2": "fracture", "T2": "burn", "T30": "burn", "T31": "burn", "T32": "burn",
}  # fmt: skip
# The superficial injuries whose title in ICD-10 says contusion.
BRUISES = {
    "S00.1", "S10.0", "S20.0", "S20.2", "S30.0", "S30.1", "S30.2", "S40.0", "S50.0", "S50.1", "S60.0", "S60.1",
    "S60.2", "S70.0", "S70.1", "S80.0", "S80.1", "S90.0", "S90.1", "S90.2", "S90.3",
}  # fmt: skip
MALTREATMENT = "T74"  # maltreatment syndromes
EXTERNAL_CAUSES = ("V", "W", "X", "Y")  # chapter XX

# OBX-5 where OBX-3 asks for the pattern of an injury: a local code, as the event's own list has it.
PATTERNS = {"FTB": "fingertip", "LIN": "linear", "BITE": "bite", "GRIP": "grip", "LOOP": "loop", "IMP": "implement"}
